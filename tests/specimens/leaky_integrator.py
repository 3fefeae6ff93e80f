"""A leaky integrator with three regimes: an elif chain on the loop's own active state."""

WRT = ("leak", "gain")


def loss(leak, gain, currents, target):
    voltage = 0.0
    for current in currents:
        if voltage > 1.0:  # charged: leaks faster
            rate = 2.0 * leak
        elif voltage < 0.0:  # inhibited: leaks slower
            rate = 0.5 * leak
        else:
            rate = leak
        voltage = (1.0 - rate) * voltage + gain * current
    return (voltage - target) ** 2


def by_hand(leak, gain, currents, target):
    voltage = 0.0
    tape = []
    for current in currents:
        if voltage > 1.0:  # charged: leaks faster
            factor = 2.0
        elif voltage < 0.0:  # inhibited: leaks slower
            factor = 0.5
        else:
            factor = 1.0
        tape.append((current, voltage, factor))
        voltage = (1.0 - factor * leak) * voltage + gain * current
    d_voltage = 2.0 * (voltage - target)
    d_leak = 0.0
    d_gain = 0.0
    for current, voltage, factor in reversed(tape):
        d_gain += d_voltage * current
        d_leak -= d_voltage * voltage * factor
        d_voltage = d_voltage * (1.0 - factor * leak)
    return d_leak, d_gain


def arguments(rng):
    return rng.uniform(0.1, 0.3), rng.uniform(0.8, 1.2), rng.normal(0.2, 1.0, size=20), 0.5
