"""What holds for every optimizer: memory shared, nothing large allocated, layouts, saving and going on."""

import copy
import math
import pickle
import tracemalloc

import numpy as np
import pytest

from srcgrad import Parameter
from srcgrad.optim import SGD, Adagrad, Adam, AdamW, RMSprop
from srcgrad.optim.blocks import BLOCK, blocks

pytestmark = pytest.mark.quick

KINDS = [
    (SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (SGD, {"maximize": True}),
    (Adam, {"amsgrad": True, "weight_decay": 0.1}),
    (AdamW, {}),
    (RMSprop, {"momentum": 0.9, "centered": True}),
    (Adagrad, {"weight_decay": 0.1, "lr_decay": 0.1}),
]
every_kind = pytest.mark.parametrize(("kind", "options"), KINDS, ids=lambda value: getattr(value, "__name__", None))


def large(rng, order="C"):
    """A float32 array of several blocks, of no round size."""
    return np.asarray(rng.standard_normal((333, 401)), np.float32, order=order)


@every_kind
def test_a_step_allocates_nothing_of_the_parameters_size(kind, options):
    rng = np.random.default_rng(0)
    p = Parameter(large(rng))
    p.grad = large(rng)
    memory = p.data
    optimizer = kind([p], **options)
    optimizer.step()
    tracemalloc.start()
    for _ in range(3):
        optimizer.step()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert p.data is memory
    assert peak < 0.1 * memory.nbytes


@every_kind
@pytest.mark.parametrize("grad_order", "CF")
@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_layouts_in_memory_do_not_matter(kind, options, order, grad_order):
    rng = np.random.default_rng(0)
    start, grad = large(rng), large(rng)
    whole = np.zeros((2 * start.shape[0], start.shape[1] + 3), np.float32)
    data = whole[::2, 3:] if order == "strided" else np.empty(start.shape, np.float32, order=order)
    data[...] = start
    p, q = Parameter(data), Parameter(start)
    p.grad, q.grad = np.array(grad, order=grad_order), grad
    for optimizer in (kind([p], **options), kind([q], **options)):
        for _ in range(3):
            optimizer.step()
    np.testing.assert_array_equal(p.data, q.data)
    assert not whole[1::2].any()


@pytest.mark.parametrize(
    "shape", [(), (0,), (1,), (5,), (BLOCK,), (BLOCK + 1,), (3, BLOCK + 1), (2, 0, 3), (4, 9, 2000)]
)
@pytest.mark.parametrize("order", "CF")
def test_blocks_cover_every_element_once(shape, order):
    counted, other = np.zeros(shape, order=order), np.ones(shape)
    for part, one, scratch in blocks([counted, other], scratch=1):
        assert part.shape == one.shape == scratch.shape
        assert part.size <= BLOCK
        part += one
    assert (counted == 1).all()


@every_kind
def test_a_memory_map_moves_on_disk(kind, options, tmp_path):
    on_disk = np.memmap(tmp_path / "weights", np.float64, "w+", shape=(3,))
    p = Parameter(on_disk)
    p.grad = np.ones(3)
    optimizer = kind([p], **options)
    optimizer.step()
    assert on_disk.all()
    assert all(type(value) in (int, np.ndarray) for value in optimizer.state.get(p, {}).values())


@every_kind
def test_training_goes_on_bit_by_bit_from_a_state_dict(kind, options):
    rng = np.random.default_rng(0)
    grads = [rng.standard_normal(5) for _ in range(6)]
    p = Parameter(np.ones(5))
    optimizer = kind([p], **options)
    for step, grad in enumerate(grads):
        if step == 3:
            saved, values = pickle.loads(pickle.dumps(optimizer.state_dict())), p.data.copy()
        p.grad = grad
        optimizer.step()
    q = Parameter(values)
    resumed = kind([q], lr=5.0)
    resumed.load_state_dict(saved)
    before = copy.deepcopy(saved)
    for grad in grads[3:]:
        q.grad = grad
        resumed.step()
    np.testing.assert_array_equal(q.data, p.data)
    np.testing.assert_equal(saved, before)


@every_kind
def test_a_closure_gives_its_loss(kind, options):
    p = Parameter(1.0)

    def closure():
        p.grad = 2.0
        return 7

    assert kind([p], **options).step(closure) == 7
    assert p.item() != 1.0


@every_kind
def test_frozen_parameters_and_those_without_gradient_stay(kind, options):
    p, frozen = Parameter(1.0), Parameter(1.0, requires_grad=False)
    optimizer = kind([p, frozen], **options)
    optimizer.step()
    assert (p.item(), frozen.item()) == (1.0, 1.0)
    assert optimizer.state_dict()["state"] == {}


@pytest.mark.parametrize("kind", [Adam, AdamW, RMSprop, Adagrad])
def test_complex_parameters_are_refused_where_gradients_are_squared(kind):
    p = Parameter(np.ones(2, complex))
    p.grad = np.ones(2, complex)
    with pytest.raises(TypeError, match="complex here: use SGD, or two real parameters"):
        kind([p]).step()


def test_a_constant_gradient_has_no_variance():
    """Rounding takes the running variance below zero, and its root would be no number."""
    p = Parameter(np.full(4, 1.0, np.float32))
    optimizer = RMSprop([p], lr=1e-3, centered=True, alpha=0.5)
    for _ in range(200):
        p.grad = np.array([0.1, 0.3, 0.7, 1e-3], np.float32)
        optimizer.step()
    assert np.isfinite(p.data).all()


def test_numpy_scalars_as_options_leave_float32():
    p = Parameter(np.ones(3, np.float32))
    p.grad = np.ones(3, np.float32)
    betas = (np.float64(0.9), np.float64(0.99))
    Adam([p], lr=np.float64(0.1), betas=betas, eps=np.float64(1e-8), weight_decay=np.float64(0.1)).step()
    assert p.dtype == np.float32


def test_betas_may_change_between_steps():
    p = Parameter(1.0)
    optimizer = Adam([p])
    optimizer.param_groups[0]["betas"] = (0.5, 0.9)
    p.grad = 1.0
    optimizer.step()
    assert optimizer.state[p]["exp_avg"] == pytest.approx(0.5)


def test_not_a_number_stays_visible():
    p = Parameter(np.ones(2))
    p.grad = np.array([math.nan, 1.0])
    Adam([p], amsgrad=True).step()
    assert np.isnan(p.data).tolist() == [True, False]
