def loss_jvp(a, tolerance, t_a):
    root = a
    t_root = t_a
    while abs(root * root - a) > tolerance:
        ratio = a / root
        t_root = 0.5 * (t_root + (t_a / root - t_root * ratio / root))
        root = 0.5 * (root + ratio)
    return root, t_root
