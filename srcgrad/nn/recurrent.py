"""Recurrent layers: RNN, LSTM and GRU over sequences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from srcgrad.nn import functional, init
from srcgrad.nn.module import Module
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]
Rng = np.random.Generator | int | None


class Recurrent(Module):
    """What the three have in common; each says how a layer goes along a sequence, in `scan`.

    Parameters are called and shaped as in PyTorch, for the layers k = 0, 1, ...:
        weight_ih_l{k} : (gates * hidden_size, inputs), weight_hh_l{k} : (gates * hidden_size, hidden_size)
        bias_ih_l{k}, bias_hh_l{k} : (gates * hidden_size,)
    and with "_reverse" for the other direction. They begin evenly within +- 1 / sqrt(hidden_size).

    batch_first : sequences are (n, length, inputs), not (length, n, inputs)
    dropout : of what goes from one layer to the next, in training, drawn from `rng`
    """

    gates: ClassVar[int] = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        dtype: DTypeLike = np.float32,
        rng: Rng = None,
    ) -> None:
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.bidirectional = bias, batch_first, bidirectional
        self.dropout, self.drops = dropout, dropout > 0.0
        self.rng = np.random.default_rng(rng)
        suffixes = ("", "_reverse") if bidirectional else ("",)
        kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh") if bias else ("weight_ih", "weight_hh")
        self.names = tuple(
            tuple(tuple(f"{kind}_l{layer}{suffix}" for kind in kinds) for suffix in suffixes)
            for layer in range(num_layers)
        )
        limit = 1 / math.sqrt(hidden_size)
        for layer, directions in enumerate(self.names):
            width = input_size if layer == 0 else hidden_size * len(directions)
            shapes = [(width,), (hidden_size,), (), ()]
            for name, shape in ((name, shape) for names in directions for name, shape in zip(names, shapes)):
                parameter = Parameter(np.empty((self.gates * hidden_size, *shape), dtype))
                setattr(self, name, init.uniform_(parameter, -limit, limit, self.rng))

    def scan(
        self,
        x: Array,
        start: Sequence[Array],
        weight_ih: Any,
        weight_hh: Any,
        bias_ih: Any = None,
        bias_hh: Any = None,
    ) -> tuple[Array, list[Array]]:
        """One layer along x (length, n, inputs): its outputs (length, n, hidden_size), and the state at the end."""
        raise NotImplementedError

    def run(self, x: Array, starts: Sequence[Array]) -> tuple[Array, list[list[Array]]]:
        """All layers, in one or both directions: the last one's outputs, and the state at the end of each."""
        ends = []
        for layer, directions in enumerate(self.names):
            if layer > 0 and self.drops:
                x = functional.dropout(x, self.dropout, self.rng, self.training)
            outs = []
            for direction, names in enumerate(directions):
                start = [state[layer * len(directions) + direction] for state in starts]
                parameters = [getattr(self, name) for name in names]
                out, end = self.scan(x if direction == 0 else x[::-1], start, *parameters)
                outs.append(out if direction == 0 else out[::-1])
                ends.append(end)
            x = outs[0] if len(outs) == 1 else np.concatenate(outs, axis=-1)
        return x, ends

    def forward(self, x: Array, hx: Any = None) -> tuple[Array, Any]:
        """Outputs of the last layer at every time, and every layer's state at the end.

        x : (length, n, input_size), or (n, length, input_size) with batch_first
        hx : the state at the start, (layers * directions, n, hidden_size); None for zeros
        """
        assert x.ndim == 3, "recurrent layers take batches of sequences: (length, n, inputs), see batch_first"
        if self.batch_first:
            x = np.swapaxes(x, 0, 1)
        start = self.zeros(x) if hx is None else hx
        out, ends = self.run(x, [start])
        if self.batch_first:
            out = np.swapaxes(out, 0, 1)
        return out, np.stack([end[0] for end in ends])

    def zeros(self, x: Array) -> Array:
        """The state at the start."""
        states = 2 * self.num_layers if self.bidirectional else self.num_layers
        return np.zeros((states, x.shape[1], self.hidden_size), x.dtype)

    def extra_repr(self) -> str:
        parts = [f"{self.input_size}, {self.hidden_size}"]
        parts += [f"num_layers={self.num_layers}"] if self.num_layers != 1 else []
        parts += [f"bias={self.bias}"] if not self.bias else []
        parts += [f"batch_first={self.batch_first}"] if self.batch_first else []
        parts += [f"dropout={self.dropout}"] if self.dropout else []
        parts += [f"bidirectional={self.bidirectional}"] if self.bidirectional else []
        return ", ".join(parts)


class RNN(Recurrent):
    """h = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu. Elman (1990)."""

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", **options: Any
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(input_size, hidden_size, num_layers, **options)
        self.nonlinearity = nonlinearity

    def scan(
        self, x: Array, start: Sequence[Array], weight_ih: Any, weight_hh: Any, bias_ih: Any = None, bias_hh: Any = None
    ) -> tuple[Array, list[Array]]:
        """Along x."""
        inputs = functional.linear(x, weight_ih, None if bias_ih is None else bias_ih + bias_hh)
        h = start[0]
        out = np.zeros((len(x), *h.shape), x.dtype)
        for t in range(len(x)):
            z = inputs[t] + h @ weight_hh.T
            h = np.tanh(z) if self.nonlinearity == "tanh" else np.maximum(z, 0.0)
            out[t] = h
        return out, [h]


class GRU(Recurrent):
    """h = (1 - z) n + z h, with gates r, z and a candidate n. Cho et al. (2014); r is applied as in PyTorch.

    r, z = sigmoid(W x + b + W_h h + b_h), n = tanh(W_n x + b_n + r (W_hn h + b_hn))
    """

    gates = 3

    def scan(
        self, x: Array, start: Sequence[Array], weight_ih: Any, weight_hh: Any, bias_ih: Any = None, bias_hh: Any = None
    ) -> tuple[Array, list[Array]]:
        """Along x."""
        inputs = functional.linear(x, weight_ih, bias_ih)
        h = start[0]
        size = self.hidden_size
        out = np.zeros((len(x), *h.shape), x.dtype)
        for t in range(len(x)):
            recurrent = functional.linear(h, weight_hh, bias_hh)
            gates = functional.sigmoid(inputs[t, :, : 2 * size] + recurrent[:, : 2 * size])
            reset, update = gates[:, :size], gates[:, size:]
            candidate = np.tanh(inputs[t, :, 2 * size :] + reset * recurrent[:, 2 * size :])
            h = (1.0 - update) * candidate + update * h
            out[t] = h
        return out, [h]


class LSTM(Recurrent):
    """c = f c + i g, h = o tanh(c), with gates i, f, o and a candidate g. Hochreiter & Schmidhuber (1997).

    i, f, o = sigmoid(W x + b + W_h h + b_h), g = tanh(...) likewise; weights hold the rows of i, f, g, o.
    """

    gates = 4

    def scan(
        self, x: Array, start: Sequence[Array], weight_ih: Any, weight_hh: Any, bias_ih: Any = None, bias_hh: Any = None
    ) -> tuple[Array, list[Array]]:
        """Along x."""
        inputs = functional.linear(x, weight_ih, None if bias_ih is None else bias_ih + bias_hh)
        h, c = start
        size = self.hidden_size
        out = np.zeros((len(x), *h.shape), x.dtype)
        for t in range(len(x)):
            z = inputs[t] + h @ weight_hh.T
            gates = functional.sigmoid(z[:, : 2 * size])
            candidate = np.tanh(z[:, 2 * size : 3 * size])
            c = gates[:, size:] * c + gates[:, :size] * candidate
            h = functional.sigmoid(z[:, 3 * size :]) * np.tanh(c)
            out[t] = h
        return out, [h, c]

    def forward(self, x: Array, hx: Any = None) -> tuple[Array, Any]:
        """As in `Recurrent`, but the state is a pair (h, c)."""
        assert x.ndim == 3, "recurrent layers take batches of sequences: (length, n, inputs), see batch_first"
        if self.batch_first:
            x = np.swapaxes(x, 0, 1)
        h, c = (self.zeros(x), self.zeros(x)) if hx is None else hx
        out, ends = self.run(x, [h, c])
        if self.batch_first:
            out = np.swapaxes(out, 0, 1)
        return out, (np.stack([end[0] for end in ends]), np.stack([end[1] for end in ends]))
