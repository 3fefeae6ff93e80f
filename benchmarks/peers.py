"""The same losses for PyTorch, JAX and autograd, where they are installed; each as a call that gives all gradients."""

import inspect
import os
import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from .workloads import Workload

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")


def contenders(workload: Workload, args: tuple[Any, ...]) -> dict[str, Callable[[], Any]]:
    """A call for every tool that is there, warmed up."""
    made = {}
    for name, make in (("torch", _torch), ("jax", _jax), ("autograd", _autograd)):
        try:
            call = make(workload, args)
        except ModuleNotFoundError:
            continue
        call()
        made[name] = call
    return made


def _positions(workload: Workload) -> list[int]:
    names = list(inspect.signature(workload.module.loss).parameters)
    return [names.index(name) for name in workload.module.WRT]


def _respelled(module: ModuleType, numpy: str) -> Callable[..., Any]:
    """The module's loss with another NumPy."""
    source = re.sub(r"^import numpy as np$", f"import {numpy} as np", inspect.getsource(module), flags=re.M)
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    loss: Callable[..., Any] = namespace["loss"]
    return loss


def _jax(workload: Workload, args: tuple[Any, ...]) -> Callable[[], Any]:
    import jax

    jax.config.update("jax_enable_x64", True)
    gradient = jax.jit(jax.grad(_respelled(workload.module, "jax.numpy"), _positions(workload)))
    arrays = [jax.numpy.asarray(each) if isinstance(each, np.ndarray) else each for each in args]
    return lambda: jax.block_until_ready(gradient(*arrays))


def _autograd(workload: Workload, args: tuple[Any, ...]) -> Callable[[], Any]:
    import autograd

    gradient = autograd.grad(_respelled(workload.module, "autograd.numpy"), tuple(_positions(workload)))
    return lambda: gradient(*args)


def _torch(workload: Workload, args: tuple[Any, ...]) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(1)
    loss = globals()[f"_torch_{workload.torch}"]
    tensors = [
        torch.from_numpy(each) if isinstance(each, np.ndarray) else torch.tensor(each, dtype=torch.float64)
        for each in args
    ]
    wrt = [tensors[k].requires_grad_() for k in _positions(workload)]
    return lambda: torch.autograd.grad(loss(torch, *tensors), wrt)


def _torch_two_layer_net(torch: Any, w1: Any, w2: Any, x: Any, y: Any) -> Any:
    return ((x @ w1).clamp(min=0.0) @ w2 - y).pow(2).sum()


def _torch_mlp(torch: Any, w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any, x: Any, y: Any) -> Any:
    hidden = torch.tanh(torch.tanh(x @ w1 + b1) @ w2 + b2)
    return (hidden @ w3 + b3 - y).pow(2).mean()


def _torch_logistic_regression(torch: Any, w: Any, b: Any, x: Any, y: Any) -> Any:
    margin = y * (x @ w + b)
    return torch.logaddexp(torch.zeros_like(margin), -margin).mean() + 0.05 * (w**2).sum()


def _torch_softmax(torch: Any, w: Any, b: Any, x: Any, one_hot: Any) -> Any:
    return -(one_hot * torch.log_softmax(x @ w + b, 1)).sum(1).mean()


def _torch_layer_norm(torch: Any, x: Any, gain: Any, bias: Any, target: Any) -> Any:
    normal = torch.nn.functional.layer_norm(x, gain.shape, gain, bias)
    return (normal - target).pow(2).mean()


def _torch_rnn(torch: Any, w_x: Any, w_h: Any, b: Any, w_out: Any, xs: Any, target: Any) -> Any:
    h = torch.zeros(xs.shape[1], len(b), dtype=xs.dtype)
    for x in xs:
        h = torch.tanh(x @ w_x + h @ w_h + b)
    return (h @ w_out - target).pow(2).sum()


def _torch_elementwise(torch: Any, x: Any) -> Any:
    return (torch.tanh(x) * torch.exp(-x) + torch.log1p(x) * torch.sin(x)).sum()


def _torch_rosenbrock(torch: Any, x: Any) -> Any:
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def _torch_black_scholes(torch: Any, spot: Any, volatility: Any, rate: Any, strike: Any, maturity: Any) -> Any:
    def norm_cdf(x: Any) -> Any:
        return 0.5 * (1.0 + torch.tanh((2.0 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))

    spread = volatility * torch.sqrt(maturity)
    d1 = (torch.log(spot / strike) + (rate + 0.5 * volatility**2) * maturity) / spread
    return (spot * norm_cdf(d1) - strike * torch.exp(-rate * maturity) * norm_cdf(d1 - spread)).sum()


def _torch_scalar(torch: Any, x: Any) -> Any:
    return 3.0 * x**2 + 6.0 * x - 9.0
