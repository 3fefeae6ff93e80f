"""Lengths print as Python that means the same, because guards are made of the text."""

import itertools

import pytest

from srcgrad.ir.dims import Symbol, as_dim

pytestmark = pytest.mark.quick

N, M = as_dim(Symbol("n")), as_dim(Symbol("m"))


@pytest.mark.parametrize(
    "length",
    [N // 2, 2 * (N // 2), (N // 2) * M, M * ((N - 1) // 3) * (M // 2), 1 - (N // 2), N - 3 * ((M + 1) // 2) + 4],
    ids=str,
)
def test_text_has_the_value_of_the_polynomial(length):
    for n, m in itertools.product(range(1, 8), repeat=2):
        sizes = {N.symbol: n, M.symbol: m}
        assert eval(str(length), {"n": n, "m": m}) == length.evaluate(sizes)
