def loss_grad(x, step):
    x_steps = []
    broken = False
    for _ in range(6):
        if x > 3.0:
            broken = True
            break
        x_steps.append(x)
        x = x + step * x
    if not broken:
        d_x = 10.0
    else:
        d_x = 1.0
    d_step = 0.0
    for x in reversed(x_steps):
        d_step += d_x * x
        d_x += d_x * step
    return d_x, d_step
