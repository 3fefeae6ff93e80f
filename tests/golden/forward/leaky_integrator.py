def loss_jvp(leak, gain, currents, target, t_leak, t_gain):
    voltage = 0.0
    t_voltage = 0.0
    for current in currents:
        if voltage > 1.0:  # charged: leaks faster
            rate = 2.0 * leak
            t_rate = 2.0 * t_leak
        elif voltage < 0.0:  # inhibited: leaks slower
            rate = 0.5 * leak
            t_rate = 0.5 * t_leak
        else:
            rate = leak
            t_rate = t_leak
        diff = 1.0 - rate
        t_voltage = t_voltage * diff - t_rate * voltage + t_gain * current
        voltage = diff * voltage + gain * current
    diff = voltage - target
    value = diff ** 2
    t_value = t_voltage * (2 * diff)
    return value, t_value
