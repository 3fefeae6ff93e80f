"""PyTorch's `nn.utils`: gradient clipping under its familiar address."""

from srcgrad.optim.clip import clip_grad_norm_, clip_grad_value_, get_total_norm

__all__ = ["clip_grad_norm_", "clip_grad_value_", "get_total_norm"]
