def calibrated_grad(table, x, target, *, interpolate_forward, interpolate_backward, show):
    y, saved = interpolate_forward(table, x)
    d_fit = 2.0 / x.size * (y - target)
    d_target = -d_fit
    show(d_fit)
    d_table, d_x = interpolate_backward(saved, d_fit)
    d_table = d_table.copy()
    d_x = d_x.copy()
    return d_table, d_x, d_target
