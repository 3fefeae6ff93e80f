import numpy as np


def loss_forward(model, x):
    rnn_weight_ih_l0 = model.rnn.weight_ih_l0.data
    rnn_weight_hh_l0 = model.rnn.weight_hh_l0.data
    rnn_bias_ih_l0 = model.rnn.bias_ih_l0.data
    rnn_bias_hh_l0 = model.rnn.bias_hh_l0.data
    start = np.zeros((model.rnn.num_layers, x.shape[1], model.rnn.hidden_size), dtype=np.float64)
    h = start[0]
    inputs = x @ rnn_weight_ih_l0.T + (rnn_bias_ih_l0 + rnn_bias_hh_l0)
    out = np.zeros((len(x), h.shape[0], h.shape[1]), dtype=np.float64)
    h_steps = []
    for t in range(len(x)):
        h_steps.append(h)
        z = inputs[t] + h @ rnn_weight_hh_l0.T
        h = np.tanh(z)
        out[t] = h
    value = np.mean(out ** 2)
    return value, (out, h, h_steps, rnn_weight_hh_l0, x)


def loss_backward(out, h, h_steps, rnn_weight_hh_l0, x, d_value):
    ratio = d_value / out.size
    d_out = ratio * (2 * out)
    d_h = np.zeros_like(h)
    d_rnn_weight_hh_l0 = np.zeros_like(rnn_weight_hh_l0)
    d_inputs = np.zeros_like(out)
    for t, h_before in zip(reversed(range(len(x))), reversed(h_steps)):
        d_out_t = d_out[t].copy()
        d_out[t] = 0.0
        d_z = (d_h + d_out_t) * (1 - h * h)
        d_h = d_z @ rnn_weight_hh_l0
        d_rnn_weight_hh_l0 += d_z.T @ h_before
        d_inputs[t] += d_z
        h = h_before
    d_rnn_bias_ih_l0 = np.sum(d_inputs, axis=(0, 1))
    d_rnn_weight_ih_l0 = np.tensordot(x, d_inputs, axes=((0, 1), (0, 1))).T
    d_rnn_bias_hh_l0 = d_rnn_bias_ih_l0.copy()
    return d_rnn_weight_ih_l0, d_rnn_weight_hh_l0, d_rnn_bias_ih_l0, d_rnn_bias_hh_l0
