def loss_hvp(a, tolerance, t_a):
    history = []
    root = a
    t_root = t_a
    while abs(root * root - a) > tolerance:
        history.append((root, t_root))
        ratio = a / root
        t_root = 0.5 * (t_root + (t_a / root - t_root * ratio / root))
        root = 0.5 * (root + ratio)
    d_root = 1.0
    t_d_root = 0.0
    t_d_a = 0.0
    for root, t_root in reversed(history):
        ratio = a / root
        t_d_root = 0.5 * t_d_root
        d_root = 0.5 * d_root
        t_d_a += t_d_root / root - t_root * (d_root / root) / root
        t_product = (t_a / root - t_root * ratio / root) * d_root
        ratio_1 = d_root * ratio / root
        t_diff = t_root * ratio_1 / root - (t_d_root * ratio + t_product) / root
        t_d_root += t_diff
        d_root -= ratio_1
    return (t_d_a + t_d_root,)
