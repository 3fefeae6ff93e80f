def loss_grad(decay, process_noise, sensor_noise, observations):
    mean = 0.0
    variance = 1.0
    history = []
    for y in observations:
        # predict
        mean_1 = decay * mean
        variance_1 = decay ** 2 * variance + process_noise
        # score
        surprise = y - mean_1
        spread = variance_1 + sensor_noise
        # update
        gain = variance_1 / spread
        history.append((variance, mean, variance_1, surprise, spread, gain))
        mean = mean_1 + gain * surprise
        variance = (1.0 - gain) * variance_1
    d_mean = 0.0
    d_variance = 0.0
    d_sensor_noise = 0.0
    d_process_noise = 0.0
    d_decay = 0.0
    for variance, mean, variance_1, surprise, spread, gain in reversed(history):
        d_diff = d_variance * variance_1
        product = d_mean * surprise
        d_variance_1 = d_variance * (1.0 - gain) + (product - d_diff) / spread
        d_power = 0.5 / spread
        ratio = 0.5 * (surprise ** 2 / spread) / spread
        d_spread = (d_diff - product) * gain / spread - ratio + d_power
        d_variance_1 += d_spread
        d_sensor_noise += d_spread
        d_mean -= d_mean * gain + d_power * (2 * surprise)
        d_process_noise += d_variance_1
        d_variance = d_variance_1 * decay ** 2
        d_decay += d_variance_1 * variance * (2 * decay) + d_mean * mean
        d_mean = d_mean * decay
    return d_decay, d_process_noise, d_sensor_noise
