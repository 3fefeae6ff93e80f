import numpy as np


def loss_grad(users, items, user, item, rating, penalty=0.1):
    part = users[user]
    part_1 = items[item]
    predicted = np.sum(part * part_1, axis=1)
    d_items = penalty * (2 * items)
    d_users = penalty * (2 * users)
    column = (2 * (predicted - rating))[:, None]
    np.add.at(d_items, item, column * part)
    np.add.at(d_users, user, column * part_1)
    return d_users, d_items
