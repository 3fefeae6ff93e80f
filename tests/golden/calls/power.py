def power_forward(x, n):
    same = n == 0
    if same:
        result = 1.0
        value = None
        power_saved = None
    else:
        value, power_saved = power_forward(x, n - 1)
        result = x * value
    return result, (x, same, value, power_saved)


def power_backward(saved, d_result):
    x, same, value, power_saved = saved
    if same:
        d_x = 0.0
    else:
        d_x = power_backward(power_saved, d_result * x)
        d_x = d_result * value + d_x
    return d_x


def power_grad(x, n):
    _, power_saved = power_forward(x, n)
    d_x = power_backward(power_saved, 1.0)
    return d_x
