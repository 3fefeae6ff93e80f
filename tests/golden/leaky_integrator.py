def loss_grad(leak, gain, currents, target):
    voltage = 0.0
    history = []
    for current in currents:
        if voltage > 1.0:  # charged: leaks faster
            rate = 2.0 * leak
        elif voltage < 0.0:  # inhibited: leaks slower
            rate = 0.5 * leak
        else:
            rate = leak
        diff = 1.0 - rate
        history.append((voltage, diff))
        voltage = diff * voltage + gain * current
    d_voltage = 2 * (voltage - target)
    d_gain = 0.0
    d_leak = 0.0
    for current, (voltage, diff) in zip(reversed(currents), reversed(history)):
        d_gain += d_voltage * current
        d_diff = d_voltage * voltage
        d_voltage = d_voltage * diff
        if voltage > 1.0:
            d_leak -= 2.0 * d_diff
        elif voltage < 0.0:
            d_leak -= 0.5 * d_diff
        else:
            d_leak -= d_diff
    return d_leak, d_gain
