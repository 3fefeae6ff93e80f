"""Objects of one kind share the functions that are generated for them; each keeps its own gradients."""

import numpy as np
import pytest
from referee import numerical_gradient

from srcgrad import Parameter, grad, hvp, nn

N = 4


class Block(nn.Module):
    """x plus a small network of it."""

    def __init__(self, seed, activation=np.tanh, bias=True):
        rng = np.random.default_rng(seed)
        self.norm = nn.LayerNorm(N, dtype=np.float64)
        self.norm.weight = Parameter(rng.normal(size=N))
        self.inner = nn.Linear(N, 2 * N, bias, dtype=np.float64, rng=rng)
        self.outer = nn.Linear(2 * N, N, bias, dtype=np.float64, rng=rng)
        self.activation = activation

    def forward(self, x):
        return x + self.outer(self.activation(self.inner(self.norm(x))))


class Transformer(nn.Module):
    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.norm1, self.norm2 = nn.LayerNorm(N, dtype=np.float64), nn.LayerNorm(N, dtype=np.float64)
        self.attention = nn.MultiheadAttention(N, 2, batch_first=True, dtype=np.float64, rng=rng)
        self.inner = nn.Linear(N, 2 * N, dtype=np.float64, rng=rng)
        self.outer = nn.Linear(2 * N, N, dtype=np.float64, rng=rng)

    def forward(self, x):
        h = self.norm1(x)
        x = x + self.attention(h, h, h)[0]
        return x + self.outer(np.tanh(self.inner(self.norm2(x))))


class Recurrent(nn.Module):
    def __init__(self, seed):
        rng = np.random.default_rng(seed)
        self.w, self.u = Parameter(rng.normal(size=(N, N))), Parameter(rng.normal(size=(N, N)))
        self.b = Parameter(rng.normal(size=N))

    def forward(self, xs):
        h, hs = np.zeros(N), []
        for x in xs:
            h = np.tanh(x @ self.w + h @ self.u + self.b)
            hs.append(h)
        return np.stack(hs)


class Stack(nn.Module):
    def __init__(self, blocks):
        self.blocks = blocks

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x


def fresh():
    """A function of its own for each test, so that none sees the text of another."""

    @grad
    def loss(model, x):
        return np.mean((model(x) - 1.0) ** 2)

    return loss


def check(model, x):
    """The gradient of every Parameter that has one against finite differences; the text."""
    loss = fresh()
    model.zero_grad()
    before = model.state_dict()
    out = loss.forward(model, x)
    assert out.item() == pytest.approx(loss.function(model, x), rel=1e-12)
    out.backward()
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            assert parameter.grad is None
            continue
        values = parameter.data.copy()

        def total(changed, parameter=parameter):
            parameter.data = changed
            return float(loss.function(model, x))

        expected = numerical_gradient(total, [values], 0)
        parameter.data = values
        np.testing.assert_allclose(parameter.grad, expected, rtol=1e-6, atol=1e-8, err_msg=name)
    return loss.forward_source + loss.backward_source


def defined(text):
    return [line.split()[1].split("(")[0] for line in text.splitlines() if line.startswith("def ")]


X = np.random.default_rng(3).normal(size=(3, N))


@pytest.mark.parametrize(("block", "lines"), [(Block, 80), (Transformer, 180), (Recurrent, 80)])
def test_lines_grow_with_the_kinds_of_blocks_not_with_their_number(block, lines):
    x = X[None] if block is Transformer else X
    texts = [check(Stack([block(seed) for seed in range(count)]), x) for count in (4, 8)]
    few, many = (len(text.splitlines()) for text in texts)
    assert many <= lines
    assert many - few <= 2 * 4  # a call forwards and one backwards for each block more
    assert defined(texts[0]) == defined(texts[1])


def test_blocks_that_need_different_gradients_share_what_runs_forwards():
    model = Stack([Block(seed) for seed in range(6)])
    model.blocks[1].norm.requires_grad_(False)
    model.blocks[3].inner.weight.requires_grad_(False)
    model.blocks[4].requires_grad_(False)
    text = check(model, X)
    assert text.count("def block_forward") == 1
    assert text.count("def block_backward") == 5
    assert text.count("_, ") > 0


def test_a_result_that_no_block_reads_is_not_computed():
    class Two(Block):
        def forward(self, x):
            return super().forward(x), np.arctan(x)

    class First(Stack):
        def forward(self, x):
            for block in self.blocks:
                x = block(x)[0]
            return x

    text = check(First([Two(seed) for seed in range(4)]), X)
    assert "arctan" not in text


def test_layers_in_sequential():
    layers = [layer for seed in range(6) for layer in (nn.Linear(N, N, dtype=np.float64, rng=seed), nn.Tanh())]
    few, many = (len(check(nn.Sequential(*layers[:count]), X).splitlines()) for count in (8, 12))
    assert many - few <= 4 * 4


def test_a_block_used_twice_gets_the_sum_of_both_gradients():
    one, other = Block(0), Block(1)
    text = check(Stack([one, other, one, other, one]), X)
    assert "block_backward" in text


def test_a_parameter_that_blocks_share_gets_the_sum_of_their_gradients():
    blocks = [Block(seed) for seed in range(4)]
    blocks[2].inner.weight = blocks[1].inner.weight
    blocks[3].norm = blocks[0].norm
    check(Stack(blocks), X)


def test_a_parameter_that_a_block_holds_twice():
    class Tied(nn.Module):
        def __init__(self, seed, tied):
            rng = np.random.default_rng(seed)
            self.up = Parameter(rng.normal(size=(N, N)))
            self.down = self.up if tied else Parameter(rng.normal(size=(N, N)))
            self.scale = Parameter(rng.normal(size=N))

        def forward(self, x):
            h = np.tanh((x * self.scale) @ self.up)
            return x + np.tanh(h @ self.down) * self.scale + np.exp(-h) @ self.up

    check(Stack([Tied(seed, tied) for seed, tied in enumerate([True, False, True, False, True, False])]), X)


def test_frozen_parameters_have_no_gradient():
    blocks = [Block(seed) for seed in range(5)]
    blocks[2].inner.requires_grad_(False)
    blocks[4].norm.bias.requires_grad_(False)
    check(Stack(blocks), X)


def test_all_but_the_last_block_frozen():
    model = Stack([Block(seed) for seed in range(5)])
    for block in model.blocks[:4]:
        block.requires_grad_(False)
    check(model, X)


def test_blocks_that_differ_in_what_is_known_do_not_share():
    blocks = [Block(0), Block(1), Block(2, np.sin), Block(3, np.sin), Block(4, bias=False), Block(5, bias=False)]
    text = check(Stack(blocks), X)
    assert "np.tanh" in text
    assert "np.cos" in text


def test_numbers_of_a_block_are_its_own():
    class Scaled(Block):
        def __init__(self, seed, power):
            super().__init__(seed)
            self.power, self.shift = power, 0.1 * seed

        def forward(self, x):
            return super().forward(x) * self.shift + np.sin(x) ** self.power

    model = Stack([Scaled(seed, power) for seed, power in enumerate([2, 2, 3, 3, 2])])
    check(model, X)
    model.blocks[1].power, model.blocks[2].shift = 3, -0.3
    check(model, X)


def test_blocks_of_several_widths():
    class Wide(nn.Module):
        def __init__(self, seed, width):
            rng = np.random.default_rng(seed)
            self.inner = nn.Linear(N, width, dtype=np.float64, rng=rng)
            self.outer = nn.Linear(width, N, dtype=np.float64, rng=rng)

        def forward(self, x):
            return x + self.outer(np.sin(self.inner(np.tanh(x * x + 1.0) / (1.0 + np.exp(-x)))))

    text = check(Stack([Wide(seed, width) for seed, width in enumerate([3, 5, 1, 7, 5])]), X)
    assert text.count("def wide_forward") >= 1


def test_blocks_in_dicts_and_inside_blocks():
    class Pair(nn.Module):
        def __init__(self, seed):
            self.parts = {"one": Block(seed), "two": Block(seed + 1)}

        def forward(self, x):
            return self.parts["two"](self.parts["one"](x)) + x

    check(Stack([Pair(seed) for seed in range(0, 8, 2)]), X)


def test_what_is_changed_after_compiling_is_seen():
    model = Stack([Block(seed) for seed in range(4)])
    loss = fresh()
    loss.forward(model, X).backward()
    model.blocks[2].activation = np.sin
    model.blocks[3].norm = model.blocks[0].norm
    model.zero_grad()
    loss.forward(model, X).backward()
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    model.zero_grad()
    fresh_loss = fresh()
    fresh_loss.forward(model, X).backward()
    for name, parameter in model.named_parameters():
        np.testing.assert_array_equal(found[name], parameter.grad)


def test_blocks_that_draw_and_blocks_that_keep_count():
    class Noisy(nn.Module):
        def __init__(self, seed):
            self.norm, self.drop = nn.BatchNorm1d(N, dtype=np.float64), nn.Dropout(0.25, rng=seed)
            self.inner = nn.Linear(N, N, dtype=np.float64, rng=seed)

        def forward(self, x):
            return x + self.drop(np.tanh(self.inner(self.norm(x))))

    model, twin = (Stack([Noisy(seed) for seed in range(4)]) for _ in range(2))
    out = fresh().forward(model, X)
    assert out.item() == pytest.approx(fresh().function(twin, X), rel=1e-12)
    for (name, mine), (_, theirs) in zip(model.state_dict().items(), twin.state_dict().items()):
        np.testing.assert_allclose(mine, theirs, err_msg=name)


def test_a_derivative_of_the_whole_model():
    model = Stack([Block(seed) for seed in range(4)])
    d = fresh()(model, X)
    out = fresh().forward(model, X)
    out.backward()
    for block, mine in zip(model.blocks, d.blocks):
        np.testing.assert_allclose(mine.inner.weight, block.inner.weight.grad, rtol=1e-12)


def test_a_second_derivative_goes_through_shared_blocks():
    model = Stack([Block(seed) for seed in range(4)])

    def total(x, model):
        return np.mean((model(x) - 1.0) ** 2)

    gradient, product = grad(total), hvp(total)
    v, step = np.random.default_rng(1).normal(size=X.shape), 1e-5
    expected = (gradient(X + step * v, model) - gradient(X - step * v, model)) / (2 * step)
    np.testing.assert_allclose(product(X, model, v), expected, rtol=1e-6, atol=1e-8)
    assert "block_forward_tangent(model.blocks[3], " in product.source
