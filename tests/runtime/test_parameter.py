"""A Parameter is its array, shared and never copied, with a gradient beside it."""

import asyncio
import copy
import pickle
import threading

import numpy as np
import pytest

from srcgrad import cuda
from srcgrad.runtime.device import device
from srcgrad.runtime.grad_mode import is_grad_enabled, no_grad, set_grad_enabled
from srcgrad.runtime.parameter import Parameter

pytestmark = pytest.mark.quick


@pytest.fixture
def p():
    return Parameter([[1.0, 2.0], [3.0, 4.0]])


# what it is made from


def test_a_float_becomes_a_float64_array_without_axes():
    x = Parameter(5.0)
    assert (x.shape, x.dtype, x.ndim, x.size) == ((), np.float64, 0, 1)
    assert x.item() == 5.0
    assert isinstance(x.item(), float)
    assert float(x) == 5.0
    assert int(x) == 5


def test_lists_become_float64_and_dtype_changes_that():
    assert Parameter([[0.6, -0.2]]).dtype == np.float64
    assert Parameter([0.8], dtype=np.float32).dtype == np.float32
    assert Parameter(np.float32(2)).dtype == np.float32
    assert Parameter([1, 2], dtype=np.float64).dtype == np.float64


def test_an_array_is_wrapped_and_shares_its_memory():
    array = np.ones(3, dtype=np.float32)
    p = Parameter(array)
    assert p.data is array
    assert p.numpy() is array
    assert p.detach() is array
    array[0] = 7
    assert p[0] == 7


def test_another_dtype_wraps_a_converted_copy():
    array = np.ones(3)
    assert not np.shares_memory(Parameter(array, dtype=np.float32).data, array)


def test_a_parameter_of_a_parameter_shares_its_memory(p):
    assert Parameter(p).data is p.data


def test_a_memory_map_stays_one(tmp_path):
    on_disk = np.memmap(tmp_path / "weights", dtype=np.float64, mode="w+", shape=(3,))
    p = Parameter(on_disk)
    p += 1.0
    assert on_disk.tolist() == [1, 1, 1]


@pytest.mark.parametrize("data", [5, [1, 2], np.arange(3), True, np.array([True])])
def test_integers_and_bools_have_no_gradient(data):
    with pytest.raises(TypeError, match=r"write floats \(2\.0, not 2\).*requires_grad=False"):
        Parameter(data)
    frozen = Parameter(data, requires_grad=False)
    with pytest.raises(TypeError, match="have no gradient"):
        frozen.requires_grad_()
    assert not frozen.requires_grad


@pytest.mark.parametrize("data", ["abc", [object()], None, {"a": 1.0}])
def test_only_numbers_are_held(data):
    with pytest.raises(TypeError, match="holds numbers"):
        Parameter(data, requires_grad=False)


def test_a_masked_array_is_refused_for_its_mask():
    with pytest.raises(TypeError, match="MaskedArray means more than its numbers"):
        Parameter(np.ma.masked_array([1.0, 2.0], mask=[True, False]))


def test_a_read_only_array_is_refused_where_it_would_be_trained():
    fixed = np.broadcast_to(1.0, (3,))
    with pytest.raises(ValueError, match="read-only"):
        Parameter(fixed)
    assert Parameter(fixed, requires_grad=False).shape == (3,)


# data, in place


def test_data_is_assigned_into_the_shared_memory(p):
    memory = p.data
    p.data = np.zeros((2, 2))
    assert p.data is memory
    assert not memory.any()


def test_data_minus_equals_writes_once(p):
    memory = p.data
    p.data -= 1.0
    assert p.data is memory
    assert memory.tolist() == [[0, 1], [2, 3]]


def test_data_refuses_another_shape_or_dtype(p):
    with pytest.raises(ValueError, match=r"data of shape \(2,\) does not fit a parameter of shape \(2, 2\)"):
        p.data = [1.0, 2.0]
    with pytest.raises(TypeError, match=r"float32 does not fit .* float64: convert it with .astype\('float64'\)"):
        p.data = np.zeros((2, 2), dtype=np.float32)
    counts = Parameter([1, 2], requires_grad=False)
    with pytest.raises(TypeError, match="same_kind"):
        counts.data = [1.5, 2.5]


# grad


def test_grad_is_none_until_assigned_and_then_the_very_array(p):
    assert p.grad is None
    gradient = np.ones((2, 2))
    p.grad = gradient
    assert p.grad is gradient


def test_grad_is_checked(p):
    with pytest.raises(ValueError, match=r"grad of shape \(3,\) does not fit a parameter of shape \(2, 2\)"):
        p.grad = np.ones(3)
    with pytest.raises(TypeError, match="grad of dtype float32"):
        p.grad = np.ones((2, 2), dtype=np.float32)


def test_grad_of_a_number_stays_an_array_through_arithmetic():
    x = Parameter(1.0, dtype=np.float32)
    x.grad = 2.0
    x.grad = x.grad * 3
    x.grad += 1
    assert isinstance(x.grad, np.ndarray)
    assert x.grad.dtype == np.float32
    assert x.grad == 7


def test_gradients_add_up(p):
    p.add_grad(np.ones((2, 2)))
    first = p.grad
    p.add_grad(np.ones((2, 2)))
    assert p.grad is first
    assert p.grad.tolist() == [[2, 2], [2, 2]]
    with pytest.raises(ValueError, match="does not fit"):
        p.add_grad(1.0)


def test_zero_grad_forgets_or_fills(p):
    p.zero_grad(set_to_none=False)
    assert p.grad is None
    p.grad = gradient = np.ones((2, 2))
    p.zero_grad(set_to_none=False)
    assert p.grad is gradient
    assert not gradient.any()
    p.zero_grad()
    assert p.grad is None


def test_requires_grad_is_switched(p):
    assert p.requires_grad
    assert p.requires_grad_(False) is p
    assert not p.requires_grad
    assert p.requires_grad_().requires_grad


# arithmetic


def test_operators_and_numpy_functions_give_arrays(p):
    for result in (p + 1, 1 - p, 2 * p, p / p, -p, p**2, p @ p, np.ones(2) @ p, p > 2, np.exp(p), abs(p)):
        assert type(result) is np.ndarray
    for result in (np.concatenate([p, p]), np.stack((p, p)), np.where(p > 2, p, 0.0), np.einsum("ij->ji", p)):
        assert type(result) is np.ndarray
    assert np.sum(p) == p.sum() == 10
    assert np.linalg.norm(p) == np.linalg.norm(p.data)
    assert p.T.tolist() == [[1, 3], [2, 4]]
    assert np.add.reduce(p).tolist() == [4, 6]
    assert divmod(p, 2)[1].tolist() == [[1, 0], [1, 0]]


def test_an_array_takes_a_parameter_in_place(p):
    array = np.zeros((2, 2))
    same = array
    array += p
    assert same is array
    assert array.tolist() == p.data.tolist()


def test_a_hand_written_step_keeps_the_parameter_and_its_memory():
    array = np.array([1.0, 2.0], dtype=np.float32)
    p = same = Parameter(array)
    p.grad = np.array([10.0, 20.0], dtype=np.float32)
    with no_grad():
        p -= 0.1 * p.grad
    assert p is same
    assert p.data is array
    assert array.dtype == np.float32
    assert array.tolist() == [0, 0]


@pytest.mark.parametrize("number", [5.0, np.float32(5)])
def test_a_hand_written_step_on_a_number(number):
    x = same = Parameter(number)
    memory = x.data
    x -= 2.0
    x.data -= 1.0
    assert x is same
    assert x.data is memory
    assert memory == 2


def test_out_and_writing_functions_reach_the_memory(p):
    q = Parameter(np.zeros((2, 2)))
    assert np.add(p, 1.0, out=q) is q
    assert q[1, 1] == 5
    quotient, rest = np.divmod(p, 2.0, out=(q, None))
    assert quotient is q
    assert type(rest) is np.ndarray
    assert np.cumsum(p, axis=0, out=q) is q
    np.copyto(q, p)
    np.add.at(q, (0, 0), 10.0)
    q.fill(3.0)
    assert q.data.tolist() == [[3, 3], [3, 3]]


def test_writes_are_counted(p):
    writes = (
        lambda: p.__isub__(1.0),
        lambda: p.__setitem__(0, 1.0),
        lambda: setattr(p, "data", np.ones((2, 2))),
        lambda: np.multiply(p, 2.0, out=p),
        lambda: np.add.at(p, (0, 0), 1.0),
        lambda: np.copyto(p, 1.0),
        lambda: np.cumsum(p, axis=0, out=p),
        lambda: p.fill(1.0),
    )
    for write in writes:
        before = p.version
        write()
        assert p.version == before + 1
    before = p.version
    assert np.exp(p + p.sum()).all()
    assert p.version == before


def test_as_array_honours_dtype_and_copy(p):
    assert np.asarray(p) is p.data
    assert np.array(p) is not p.data
    assert np.asarray(p, dtype=np.float32).dtype == np.float32
    assert np.asarray(p, copy=False) is p.data
    with pytest.raises(ValueError, match="copy"):
        np.asarray(p, dtype=np.float32, copy=False)


# as a container and in containers


def test_items_rows_and_length(p):
    assert len(p) == 2
    assert type(p[0]) is np.ndarray
    assert [row.tolist() for row in p] == [[1, 2], [3, 4]]
    p[0] = 9.0
    p[1, 0] += 1.0
    p[Parameter([1], requires_grad=False), 1] = Parameter(7.0)
    assert p.data.tolist() == [[9, 9], [4, 7]]


def test_a_number_has_no_length_and_no_items():
    x = Parameter(5.0)
    with pytest.raises(TypeError, match="unsized"):
        len(x)
    with pytest.raises(TypeError, match="0-d"):
        iter(x)
    assert x
    assert not Parameter(0.0)


def test_equality_is_by_element_and_hash_by_object(p):
    twin = copy.deepcopy(p)
    assert (p == twin).all()
    assert (p == p.data).all()
    assert len({p, twin, p}) == 2
    assert {p: "first", twin: "second"}[twin] == "second"
    with pytest.raises(ValueError, match="ambiguous"):
        bool(p)


def test_unknown_attributes_are_refused(p):
    with pytest.raises(AttributeError, match="gard"):
        p.gard = 1.0
    with pytest.raises(AttributeError, match="summ"):
        _ = p.summ


@pytest.mark.parametrize("name", ["backward", "clone", "zero_", "add_", "view", "grad_fn"])
def test_what_tensors_have_under_another_name(p, name):
    with pytest.raises(AttributeError, match=f"no attribute '{name}': (write|it has no history)"):
        getattr(p, name)
    assert not hasattr(p, name)


# devices


def test_a_parameter_is_on_the_cpu(p):
    assert p.device == device("cpu")
    assert p.to("cpu") is p.to(device("cpu")) is p.cpu() is p


@pytest.mark.skipif(cuda.is_available(), reason="says what is missing where there is no GPU")
def test_a_device_that_is_not_there(p):
    for attempt in (lambda: p.to("cuda"), lambda: p.to(device("cuda", 1)), p.cuda):
        with pytest.raises(RuntimeError, match=r"needs CuPy, .*srcgrad\[cuda\]|it sees no CUDA device"):
            attempt()


def test_names_that_are_no_device(p):
    with pytest.raises(RuntimeError, match=r"a device is 'cpu', 'cuda' or 'cuda:0' .* not 'gpu'"):
        p.to("gpu")
    with pytest.raises(
        TypeError, match=r"to\(\.\.\.\) takes a device and a dtype, such as 'cuda' and np.float32, not 1"
    ):
        p.to(1)
    with pytest.raises(TypeError, match="takes one device and one dtype"):
        p.to(np.float32, np.float64)
    with pytest.raises(TypeError, match="takes a device, a dtype, or both"):
        p.to()


def test_another_dtype_is_a_new_parameter_without_gradient(p):
    p.grad = np.ones_like(p.data)
    for other in (p.to(np.float32), p.to("float32"), p.to("cpu", np.float32), p.to(dtype="float32"), p.float()):
        assert isinstance(other, Parameter)
        assert other is not p
        assert other.dtype == np.float32
        assert other.grad is None
        assert other.requires_grad
        np.testing.assert_array_equal(other.data, p.data.astype(np.float32))
    assert p.to(np.float64) is p.double() is p.to("cpu", dtype=np.float64) is p
    assert p.half().dtype == np.float16
    assert not Parameter(1.0, requires_grad=False).float().requires_grad


def test_values_that_another_dtype_would_spoil(p):
    with pytest.raises(TypeError, match="int64 values have no gradient"):
        p.to(np.int64)
    assert Parameter([2.0], requires_grad=False).to(np.int64).dtype == np.int64
    with pytest.raises(TypeError, match="complex128 values do not fit into float64"):
        Parameter([1j]).double()
    assert Parameter([1.5]).to(np.complex64).dtype == np.complex64


def test_devices_are_equal_by_value():
    assert device("cuda:0") == device("cuda", 0) != device("cuda")
    assert len({device("cpu"), device("cpu"), device(device("cpu"))}) == 1
    assert (str(device("cuda:1")), repr(device("cuda:1"))) == ("cuda:1", "device(type='cuda', index=1)")
    assert repr(device("cpu")) == "device(type='cpu')"
    for wrong in ("cuda:x", "", 3, None):
        with pytest.raises(RuntimeError, match="a device is"):
            device(wrong)
    with pytest.raises(RuntimeError, match="a device is"):
        device("cuda:0", 1)


# as text, and saved


def test_repr_shows_the_array():
    assert repr(Parameter([5.0, 3.0])) == "Parameter(array([5., 3.]), requires_grad=True)"
    assert repr(Parameter(2, requires_grad=False)) == "Parameter(array(2), requires_grad=False)"
    assert repr(Parameter(np.eye(2, dtype=np.float32))) == (
        "Parameter(array([[1., 0.],\n                 [0., 1.]], dtype=float32), requires_grad=True)"
    )


def test_a_number_is_formatted_as_one():
    assert f"{Parameter(1349.71843):.4f}" == "1349.7184"
    assert f"{Parameter(1.0)}" == "Parameter(array(1.), requires_grad=True)"


@pytest.mark.parametrize("again", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
@pytest.mark.parametrize("data", [5.0, [[1.0, 2.0]]])
def test_pickles_and_deep_copies(again, data):
    p = Parameter(data)
    p.grad = p.data + 1
    other = again(p)
    assert isinstance(other.data, np.ndarray)
    assert not np.shares_memory(other.data, p.data)
    assert (other == p).all()
    assert (other.grad == p.grad).all()
    other.requires_grad_(False)
    assert p.requires_grad


def test_a_deep_copied_list_keeps_shared_parameters_shared(p):
    first, second = copy.deepcopy([p, p])
    assert first is second


# no_grad and set_grad_enabled


def test_recording_is_on_and_switched_by_blocks():
    assert is_grad_enabled()
    with no_grad():
        assert not is_grad_enabled()
        with set_grad_enabled(True):
            assert is_grad_enabled()
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_a_block_that_fails_switches_back():
    with pytest.raises(ZeroDivisionError), no_grad():
        _ = 1 / 0
    assert is_grad_enabled()


def test_one_object_may_be_entered_twice():
    quiet = no_grad()
    with quiet, set_grad_enabled(True), quiet:
        assert not is_grad_enabled()
    assert is_grad_enabled()


@pytest.mark.parametrize("decorator", [lambda: no_grad, no_grad, lambda: set_grad_enabled(False)])
def test_as_decorators_they_hold_inside_the_function(decorator):
    @decorator()
    def evaluate(depth):
        """Whether anything records."""
        return is_grad_enabled() or (depth > 0 and evaluate(depth - 1))

    assert is_grad_enabled()
    assert evaluate(3) is False
    assert evaluate.__doc__ == "Whether anything records."
    assert is_grad_enabled()


def test_set_grad_enabled_as_a_statement():
    set_grad_enabled(False)
    try:
        assert not is_grad_enabled()
    finally:
        set_grad_enabled(True)
    assert is_grad_enabled()


def test_every_thread_has_its_own_mode():
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]


def test_a_thread_that_switches_off_leaves_the_others_on():
    thread = threading.Thread(target=set_grad_enabled, args=(False,))
    thread.start()
    thread.join()
    assert is_grad_enabled()


def test_every_task_has_its_own_mode():
    async def quiet(entered, release):
        with no_grad():
            entered.set()
            await release.wait()
            return is_grad_enabled()

    async def both():
        entered, release = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(quiet(entered, release))
        await entered.wait()
        here = is_grad_enabled()
        release.set()
        return here, await task

    assert asyncio.run(both()) == (True, False)


def generator():
    yield 1


async def coroutine():
    return 1


@pytest.mark.parametrize("function", [generator, coroutine])
def test_functions_that_are_suspended_are_refused(function):
    with pytest.raises(TypeError, match=r"`(generator|coroutine)` is suspended .* `with no_grad\(\):` inside"):
        no_grad(function)


@pytest.mark.parametrize("mode", [1, None, print])
def test_set_grad_enabled_takes_a_bool(mode):
    with pytest.raises(TypeError, match="takes True or False"):
        set_grad_enabled(mode)
    assert is_grad_enabled()


@pytest.mark.parametrize("target", [True, Parameter])
def test_only_functions_are_decorated(target):
    with pytest.raises(TypeError, match="decorate functions"):
        no_grad(target)
