import numpy as np


def hmm_forward_grad(log_start, log_transition, log_emission, observed):
    steps = len(observed)
    alpha = np.zeros((steps, len(log_start)))
    alpha[0] = log_start + log_emission[:, observed[0]]
    history = []
    for t in range(1, steps):
        total_steps = []
        exp_steps = []
        terms_steps = []
        top_steps = []
        for j in range(len(log_start)):
            terms = alpha[t - 1] + log_transition[:, j]
            terms_steps.append(terms)
            top = terms.max()
            top_steps.append(top)
            exp = np.exp(terms - top)
            exp_steps.append(exp)
            total = np.sum(exp)
            total_steps.append(total)
            alpha[t, j] = top + np.log(total) + log_emission[j, observed[t]]
        history.append((total_steps, exp_steps, terms_steps, top_steps))
    top = alpha[-1].max()
    exp = np.exp(alpha[-1] - top)
    d_alpha = np.zeros_like(alpha)
    d_alpha[-1] = exp / np.sum(exp)
    d_log_emission = np.zeros_like(log_emission)
    d_log_transition = np.zeros_like(log_transition)
    for t, (total_steps, exp_steps, terms_steps, top_steps) in zip(reversed(range(1, steps)), reversed(history)):
        for j, total, exp, terms, top in zip(reversed(range(len(log_start))), reversed(total_steps), reversed(exp_steps), reversed(terms_steps), reversed(top_steps)):
            d_top = d_alpha[t, j]
            d_alpha[t, j] = 0.0
            d_log_emission[j, observed[t]] += d_top
            d_terms = d_top / total * exp
            same = terms == top
            product = (d_top - np.sum(d_terms)) / np.sum(same) * same
            d_terms += product
            d_log_transition[:, j] += d_terms
            d_alpha[t - 1] += d_terms
    d_log_start = d_alpha[0]
    d_log_emission[:, observed[0]] += d_log_start
    return d_log_start, d_log_transition, d_log_emission
