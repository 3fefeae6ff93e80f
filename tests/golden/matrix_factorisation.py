import numpy as np


def loss_grad(users, items, user, item, rating, penalty=0.1):
    users_part = users[user]
    items_part = items[item]
    predicted = np.sum(users_part * items_part, axis=1)
    d_items = penalty * (2 * items)
    d_users = penalty * (2 * users)
    column = (2 * (predicted - rating))[:, None]
    np.add.at(d_items, item, column * users_part)
    np.add.at(d_users, user, column * items_part)
    return d_users, d_items
