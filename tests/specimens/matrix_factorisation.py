"""Ratings from latent factors: rows gathered by integer arrays that repeat, so gradients must add up."""

import numpy as np

WRT = ("users", "items")


def loss(users, items, user, item, rating, penalty=0.1):
    predicted = np.sum(users[user] * items[item], axis=1)
    misfit = np.sum((predicted - rating) ** 2)
    return misfit + penalty * (np.sum(users**2) + np.sum(items**2))


def by_hand(users, items, user, item, rating, penalty=0.1):
    predicted = np.sum(users[user] * items[item], axis=1)
    d_predicted = 2.0 * (predicted - rating)
    d_users = 2.0 * penalty * users
    d_items = 2.0 * penalty * items
    np.add.at(d_users, user, d_predicted[:, None] * items[item])
    np.add.at(d_items, item, d_predicted[:, None] * users[user])
    return d_users, d_items


def arguments(rng):
    user, item = rng.integers(4, size=12), rng.integers(5, size=12)
    return rng.normal(size=(4, 3)), rng.normal(size=(5, 3)), user, item, rng.uniform(1.0, 5.0, size=12)
