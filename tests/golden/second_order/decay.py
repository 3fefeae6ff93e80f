def decay_grad_grad(rate, level, steps):
    level_steps = []
    level_steps_1 = []
    for _ in range(steps):
        level_steps.append(level)
        level_steps_1.append(level)
        level = level - rate * level ** 2
    history = []
    d_level = 1.0
    for level in reversed(level_steps):
        power = level ** 2
        product = 2 * level
        history.append((d_level, power, product))
        d_level -= d_level * rate * product
    history_1 = []
    d_d_level = 0.0
    d_rate = 0.0
    for d_level, power, product in reversed(history):
        product = d_d_level * product
        d_level_1 = -2 * (d_d_level * (d_level * rate))
        d_rate -= product * d_level
        d_d_level -= product * rate + power
        negative = -d_level
        history_1.append((d_level_1, negative))
    d_level = 0.0
    for (d_level_1, negative), level in zip(reversed(history_1), reversed(level_steps_1)):
        d_rate -= d_level * level ** 2
        d_level_1 += d_level + (negative - d_level * rate) * (2 * level)
        d_level = d_level_1
    return d_rate
