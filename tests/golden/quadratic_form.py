import numpy as np


def loss_grad(centre, precision, x, freedom=4.0):
    offset = x - centre
    distance = np.einsum('ni,ij,nj->n', offset, precision, offset)
    d_distance = 1.0 / (1 + distance / freedom) / freedom
    d_offset = np.einsum('n,ij,nj->ni', d_distance, precision, offset)
    d_precision = np.einsum('n,ni,nj->ij', d_distance, offset, offset)
    contracted = np.einsum('n,ni,ij->nj', d_distance, offset, precision)
    d_centre = -np.sum(d_offset + contracted, axis=0)
    return d_centre, d_precision
