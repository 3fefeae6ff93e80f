def loss_forward(a, tolerance=0.0001):
    root_steps = []
    root = a
    while abs(root * root - a) > tolerance:
        root_steps.append(root)
        root = 0.5 * (root + a / root)
    return root, (root_steps, a)


def loss_backward(root_steps, a, d_root):
    d_a = 0.0
    for root in reversed(root_steps):
        d_root = 0.5 * d_root
        d_a += d_root / root
        d_root -= d_root * (a / root) / root
    return (d_a + d_root,)
