"""Lists, tuples, dicts, named tuples, dataclasses, comprehensions, builtins over them."""

from collections import OrderedDict, namedtuple

import numpy as np
from cases import Battery, M, X, Y, Z

case = Battery()
Layer = namedtuple("Layer", ["w", "b"])


@case([X, Y])
def list_of_arrays(params):
    return np.sum(params[0] * params[1] ** 2)


@case((X, 2.0))
def tuple_of_array_and_float(params):
    x, scale = params
    return np.sum(x**2) * scale


@case({"w": M, "b": X})
def dict_of_arrays(params):
    return np.sum((params["w"] + params["b"]) ** 2)


@case([{"w": M, "b": X}, {"w": M.T @ M, "b": Y}])
def list_of_dicts(layers):
    h = np.ones(2)
    for layer in layers:
        h = np.tanh(h @ layer["w"] + layer["b"])
    return np.sum(h**2)


@case([X, Y, Y * 2.0])
def unused_leaves_get_zeros(params):
    return np.sum(params[0] ** 2)


@case([X, X])
def the_same_array_twice_in_a_list(pair):
    return np.sum(pair[0] * pair[1] ** 2)


@case(X, X)
def the_same_array_as_two_arguments(x, y):
    return np.sum(x * y**2)


@case((X, [Y, (2.0, {"z": Z})]))
def deeply_nested(tree):
    x, (y, (s, d)) = tree
    return np.sum(x * y) * s + np.sum(d["z"] ** 2)


@case(X)
def list_built_by_append(x):
    parts = []
    parts.append(x[0] ** 2)
    parts.append(x[1] * x[2])
    return parts[0] * parts[1]


@case(Z, 4)
def list_grown_in_a_dynamic_loop_and_summed(z, n):
    parts = []
    for i in range(n):
        parts.append(z[i] ** 2)
    return sum(parts)


@case(Z, 4)
def list_grown_in_a_dynamic_loop_and_indexed(z, n):
    states = [z[0]]
    for i in range(n):
        states.append(np.sin(states[-1]) * z[i])
    return states[-1] * states[2]


@case(M, 2)
def list_grown_in_a_dynamic_loop_and_stacked(m, n):
    rows = []
    for i in range(n):
        rows.append(m[i] * m[0])
    return np.sum(np.stack(rows) ** 2)


@case(M, 2)
def list_grown_in_a_dynamic_loop_made_an_array(m, n):
    values = []
    for i in range(n):
        values.append(np.sum(m[i] ** 2))
    return np.sum(np.array(values) ** 2)


@case(M, 2)
def list_grown_in_a_dynamic_loop_and_walked(m, n):
    rows = []
    for i in range(n):
        rows.append(m[i] ** 2)
    total = 0.0
    for row in rows:
        total = total + np.sum(row * m[0])
    return total


@case(Z, 4)
def dict_filled_with_integer_keys(z, n):
    h = {}
    h[-1] = 0.5
    for t in range(n):
        h[t] = np.tanh(h[t - 1] * z[t])
    return h[n - 1] ** 2


@case(M, X, 2)
def the_char_rnn_idiom(m, w, n):
    xs, hs = {}, {}
    hs[-1] = np.zeros(3)
    loss = 0.0
    for t in range(n):
        xs[t] = m[t] * 2.0
        hs[t] = np.tanh(xs[t] + w * hs[t - 1])
        loss += np.sum(hs[t] ** 2)
    for t in reversed(range(n)):
        loss += np.sum(hs[t] * xs[t])
    return loss


@case(X)
def list_comprehension(x):
    squares = [v**2 for v in (x[0], x[1], x[2])]
    return squares[0] * squares[1] + squares[2]


@case(X, 3)
def list_comprehension_over_a_range(x, n):
    return sum([x[i] ** 2 for i in range(n)])


@case([X, Y])
def dict_comprehension(params):
    named = {name: p**2 for name, p in zip("ab", params)}
    return np.sum(named["a"] * named["b"])


@case([X, Y])
def generator_in_sum(params):
    return sum(np.sum(p**2) for p in params)


@case([X, Y])
def generator_in_max(params):
    return max(np.sum(p**2) for p in params)


@case([X, Y])
def generator_in_any_and_all(params):
    if all(p.ndim == 1 for p in params) and any(len(p) == 3 for p in params):
        return np.sum(params[0] * params[1])
    return 0.0


@case([X, Y, Z[:3]])
def comprehension_with_a_condition(params):
    return sum(np.sum(p**2) for i, p in enumerate(params) if i != 1)


@case([[X, Y], [Y, X]])
def nested_comprehension(rows):
    flat = [np.sum(v**2) for row in rows for v in row]
    return flat[0] * flat[3] + flat[1]


@case([X, Y])
def zip_of_two_lists(params):
    total = 0.0
    for p, scale in zip(params, [1.0, 3.0]):
        total += scale * np.sum(p**2)
    return total


@case([X, Y, Z])
def zip_of_unequal_lengths(params):
    return sum(np.sum(p) * k for p, k in zip(params, (2.0, 3.0))) ** 2


@case(X, Y)
def zip_of_arrays(x, y):
    total = 0.0
    for a, b in zip(x, y):
        total += a * b**2
    return total


@case(X)
def enumerate_from_one(x):
    total = 0.0
    for i, v in enumerate(x, start=1):
        total += i * v**2
    return total


@case([X, Y])
def reversed_list(params):
    total = np.ones(3)
    for p in reversed(params):
        total = total * p + 1.0
    return np.sum(total)


@case({"a": X, "b": Y})
def dict_items(params):
    total = 0.0
    for name, p in params.items():
        total += np.sum(p**2) * (2.0 if name == "a" else 3.0)
    return total


@case({"a": X, "b": Y})
def dict_keys_and_values(params):
    assert list(params.keys()) == ["a", "b"]
    return sum(np.sum(p**2) for p in params.values())


@case({"a": X})
def dict_get_with_default(params):
    return np.sum(params["a"] ** 2) * params.get("scale", 2.0)


@case({"a": X})
def dict_update_and_pop(params):
    mine = dict(params)
    mine.update(b=params["a"] ** 2)
    mine["c"] = mine.pop("b") * 2.0
    return np.sum(mine["c"] * mine["a"])


@case({"a": X})
def dict_setdefault_and_in(params):
    mine = {**params}
    mine.setdefault("a", 0.0)
    mine.setdefault("b", 2.0)
    return np.sum(mine["a"] ** 2) * mine["b"] if "b" in mine and "z" not in mine else 0.0


@case(X, Y, Z[:3])
def star_args(*arrays):
    total = 1.0
    for a in arrays:
        total = total * np.sum(a**2)
    return total


def _keywords(x, *, scale=2.0, **rest):
    return np.sum(x**2) * scale + sum(rest.values())


@case(X)
def keyword_only_and_star_star(x):
    return _keywords(x) + _keywords(x, scale=x[0], shift=x[1], other=1.0)


def _positional(x, y, /, z=1.0):
    return np.sum(x * y) * z


@case(X, Y)
def positional_only_and_unpacked(x, y):
    pair = (x, y)
    return _positional(*pair) + _positional(*pair, z=3.0)


@case(X)
def starred_assignment(x):
    first, *rest = [x[0], x[1], x[2]]
    return first**2 + rest[0] * rest[1]


@case(X)
def tuple_swap(x):
    a, b = x[0], x[1]
    a, b = b, a
    return a**2 * b


@case([X, Y, Z[:3]])
def slices_of_lists(params):
    return sum(np.sum(p**2) for p in params[1:]) + np.sum(params[:-1][0])


@case([X, Y])
def list_concatenation_and_repetition(params):
    more = [*params, params[0] * 2.0] + [params[1]] * 2
    return sum(np.sum(p**2) for p in more)


@case([X, Y])
def len_isinstance_is_none(params, scale=None):
    if scale is None:
        scale = float(len(params))
    if isinstance(params, list):
        return np.sum(params[0] * params[1]) * scale
    return 0.0


@case(X, "mean", True)
def string_and_bool_options(x, reduction, squared):
    y = x**2 if squared else np.abs(x)
    return np.mean(y) if reduction == "mean" else np.sum(y)


@case(Layer(M, X))
def namedtuple_parameter(layer):
    return np.sum((layer.w + layer.b) ** 2) + np.sum(layer[1])


@case([Layer(M, X), Layer(M * 2.0, Y)])
def namedtuples_unpacked(layers):
    total = 0.0
    for w, b in layers:
        total += np.sum(np.tanh(w + b))
    return total


@case(X)
def namedtuple_made_inside(x):
    layer = Layer(w=x**2, b=x[0])
    changed = layer._replace(b=x[1])
    return np.sum(layer.w) * changed.b


@case(X)
def sorted_static_keys(x):
    weights = {"b": x[1], "a": x[0]}
    total = 0.0
    for k, name in enumerate(sorted(weights)):
        total += (k + 1) * weights[name] ** 2
    return total


@case([X, Y])
def map_and_filter(params):
    squares = list(map(lambda p: np.sum(p**2), params))
    kept = list(filter(lambda p: p.ndim == 1, params))
    return squares[0] * squares[1] + np.sum(kept[1])


@case(M)
def sum_over_array_rows(m):
    return np.sum(sum(m) ** 2)


@case(X)
def sum_and_max_of_an_array(x):
    return sum(x) * max(x) + min(x)


@case(X)
def max_of_several(x):
    return max(x[0], x[1] ** 2, 1.0) * min(x[2], x[0])


@case(M)
def array_unpacked(m):
    a, b = m
    c, d, e = a
    return np.sum(a * b**2) + c * d * e


@case(X)
def list_extend_insert_pop(x):
    parts = [x[0]]
    parts.extend([x[1], x[2]])
    parts.insert(0, x[1] ** 2)
    last = parts.pop()
    return parts[0] * parts[1] + last * parts[2]


@case(X)
def list_item_assignment(x):
    parts = [x[0], x[1]]
    parts[0] = parts[1] ** 2
    parts[1] += x[2]
    return parts[0] * parts[1]


@case(X)
def list_shared_by_two_names(x):
    parts = [x[0]]
    same = parts
    same.append(x[1] ** 2)
    return parts[0] * parts[1]


@case(X)
def list_passed_to_a_helper_that_appends(x):
    parts = []

    def note(v):
        parts.append(v * v)

    note(x[0])
    note(x[2])
    return parts[0] + parts[1] * x[1]


@case(X)
def tuple_comparison_and_membership(x):
    if x.shape == (3,) and 3 in x.shape and (1, 2) < (1, 3):
        return np.sum(x**2)
    return 0.0


@case(OrderedDict(a=X, b=Y), refused="OrderedDict")
def ordered_dict_parameter(params):
    return np.sum(params["a"] * params["b"])


@case(X)
def array_from_a_nested_list(x):
    r = np.array([[np.cos(x[0]), -np.sin(x[0])], [np.sin(x[0]), np.cos(x[0])]])
    return np.sum((r @ x[1:]) ** 2 * np.array([1.0, 2.0]))


@case(X)
def set_of_static_values(x):
    kinds = {"a", "b"}
    return np.sum(x**2) if "a" in kinds and len(kinds) == 2 else 0.0


@case(X)
def formatted_string(x):
    name = f"scale-{len('ab')}"
    return np.sum(x**2) * (2.0 if name == "scale-2" else 1.0)


@case([X, 3, Y], wrt=(0,), refused="int")
def integer_leaf_is_differentiated(params):
    return np.sum(params[0] * params[2]) * params[1]


@case(Z, 3)
def list_of_pairs_from_a_dynamic_loop(z, n):
    pairs = []
    for i in range(n):
        pairs.append((z[i], z[i + 1] ** 2))
    return sum(a * b for a, b in pairs)


@case(Z, 4, refused="which a loop has filled")
def list_popped_in_a_dynamic_loop(z, n):
    stack = []
    for i in range(n):
        stack.append(z[i] ** 2)
    total = 0.0
    while stack:
        total = total * 0.5 + stack.pop()
    return total


@case(Z, 4)
def list_replaced_item_in_a_dynamic_loop(z, n):
    values = [0.0] * 6
    for i in range(n):
        values[i] = z[i] ** 2
    return values[0] * values[3] + values[5]


@case(M, 2)
def concatenated_in_a_loop(m, n):
    y = m[0]
    for i in range(1, n):
        y = np.concatenate([y[:1], m[i, :2] * y[1:]])
    return np.sum(y**2)
