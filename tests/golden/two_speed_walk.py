def loss_grad(x, v):
    history = []
    while x < 10.0:
        below = v < 2.0
        if below:
            step = v
        else:
            step = 0.5 * v
        history.append((below, step))
        x = x + step
        v = v * 1.1
    d_v = 0.0
    for below, step in reversed(history):
        ratio = 1.0 / step / step
        d_v = 1.1 * d_v
        if below:
            d_v -= ratio
        else:
            d_v -= 0.5 * ratio
    return 0.0, d_v
