def loss_grad(x, wanted_mean, wanted_var):
    mean = x.mean()
    product = 4 * (x.var() - wanted_var)
    d_x = product / x.size * (x - mean)
    ratio = 2 * (mean - wanted_mean) / x.size
    return (d_x + ratio,)
