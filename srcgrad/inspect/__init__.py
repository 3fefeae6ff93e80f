"""Looking at what was compiled: what is stored, what is computed again, which gradients are zero, and why."""
