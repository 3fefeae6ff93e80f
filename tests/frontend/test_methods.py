"""Classes inside differentiated functions: methods, properties, inheritance, operators, objects made on the way."""

import dataclasses
from collections import namedtuple

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(12)
X, Y = RNG.standard_normal(3), RNG.standard_normal(3)


class Base:
    factor = 2.0

    def __init__(self, w):
        self.w = w

    @property
    def doubled(self):
        return 2.0 * self.w

    @staticmethod
    def squash(x):
        return np.tanh(x)

    @classmethod
    def shifted(cls, w):
        return cls(w + cls.factor)

    def forward(self, x):
        return self.squash(self.doubled * x) * self.factor

    def __call__(self, x):
        return np.sum(self.forward(x))


class Child(Base):
    factor = 3.0

    def __init__(self, w, b):
        super().__init__(w)
        self.b = b

    def forward(self, x):
        return super().forward(x) + self.b

    @classmethod
    def shifted(cls, w):
        return cls(w + cls.factor, w * w)


class Vector:
    """What a class may define for its objects."""

    def __init__(self, data):
        self.data = data

    def __add__(self, other):
        return Vector(self.data + (other.data if isinstance(other, Vector) else other))

    __radd__ = __add__

    def __mul__(self, factor):
        return Vector(self.data * factor)

    def __rmul__(self, factor):
        return self * factor

    def __matmul__(self, other):
        return np.sum(self.data * other.data)

    def __neg__(self):
        return Vector(-self.data)

    def __getitem__(self, i):
        return self.data[i]

    def __len__(self):
        return len(self.data)

    def __iter__(self):
        return iter(self.data)

    def __lt__(self, other):
        return self @ self < other @ other

    def __iadd__(self, other):
        self.data = self.data + other.data
        return self


Point = namedtuple("Point", "x y", defaults=(1.0,))


@dataclasses.dataclass
class State:
    position: np.ndarray
    velocity: np.ndarray
    time: float = 0.0
    log: list = dataclasses.field(default_factory=list)

    def step(self, dt):
        return State(self.position + dt * self.velocity, self.velocity - dt * self.position, self.time + dt)

    @property
    def energy(self):
        return 0.5 * np.sum(self.position**2) + 0.5 * np.sum(self.velocity**2)


def test_methods_properties_and_class_attributes():
    check(lambda model, x: model(x), Base(Y.copy()), X)


def test_inheritance_and_super():
    check(lambda model, x: model(x), Child(Y.copy(), X.copy()), X)


def test_a_method_called_through_its_class():
    check(lambda model, x: np.sum(Base.forward(model, x)) + np.sum(Base.squash(x)), Child(Y.copy(), X.copy()), X)


def test_an_object_made_inside():
    def loss(w, x):
        model = Child(w, w * x)
        model.b = model.b * 2.0
        other = Base.shifted(w)
        third = Child.shifted(x)
        return model(x) * other(x) + third(w) + np.sum(model.b) + (1.0 if hasattr(model, "c") else 2.0)

    check(loss, Y, X)


def test_a_data_class_made_inside():
    def loss(position, velocity):
        state = State(position, velocity)
        for _ in range(3):
            state = state.step(0.1)
        return state.energy * state.time + np.sum(state.position) + len(state.log)

    check(loss, X, Y)


def test_a_data_class_in_a_loop():
    def loss(position, velocity, steps):
        state = State(position, velocity=velocity)
        for _ in range(steps):
            state = state.step(0.1)
        return state.energy * state.time

    check(loss, X, Y, 7, wrt=(0, 1))


def test_a_named_tuple_made_inside():
    def loss(x):
        p = Point(x)
        q = Point(y=np.sum(x), x=x**2)
        p, q = q, p
        a, b = p
        return np.sum(a * q.x) * p.y + b * q.y + len(p)

    check(loss, X)


def test_operators():
    def loss(x, y):
        a, b = Vector(x), Vector(y)
        c = 2.0 * (a + b * 3.0) + -a + (1.0 + b)
        c += a
        first = a if a < b else b
        total = sum(v * v for v in c) + c[0] * c[-1] * len(c)
        return c @ a + total + first @ c

    check(loss, X, Y)


def test_isinstance():
    def loss(model, x):
        out = x * model.w
        if isinstance(model, Child):
            out = out * model.b
        if not isinstance(model, (list, Vector)):
            out = out + 1.0
        return np.sum(out**2)

    check(loss, Child(Y.copy(), X.copy()), X)
    check(loss, Base(Y.copy()), X)


class Regression:
    def __init__(self):
        self.scale = 2.0

    @grad
    def loss(self, w, x):
        return self.scale * np.sum((w * x) ** 2)

    @grad(wrt="w")
    def weighted(self, w, x):
        return self.scale * np.sum((w * x) ** 3)


def test_gradients_as_methods():
    model = Regression()
    d = model.loss(Y, X)
    assert type(d) is Regression
    np.testing.assert_allclose(d.scale, np.sum((Y * X) ** 2))
    np.testing.assert_allclose(model.weighted(Y, X), 6.0 * (Y * X) ** 2 * X)
    assert model.scale == 2.0


def refusal(function, *args):
    with pytest.raises(CompileError) as caught:
        grad(function)(*args)
    return str(caught.value)


def test_what_an_object_cannot_do_here_is_refused():
    class Magic:
        def __getattr__(self, name):
            if name != "w":
                raise AttributeError(name)
            return 1.0

    class Careful:
        def __setattr__(self, name, value):
            object.__setattr__(self, name, value)

    class Number(float):
        pass

    class Lazy:
        def __iter__(self):
            yield 1.0

    magic, careful, lazy = Magic(), Careful(), Lazy()

    def assigns(x, careful):
        careful.w = x
        return np.sum(x)

    def changes(x):
        magic.w = x
        return np.sum(x)

    def freezes(x):
        point = Frozen(x)
        point.x = 2.0 * x
        return np.sum(point.x)

    assert "computes its attributes, so `w` cannot be read" in refusal(lambda x, m: np.sum(x * m.w), X, magic)
    assert "has a `__setattr__` of its own" in refusal(assigns, X, careful)
    assert "an object that is no argument is changed" in refusal(changes, X)
    assert "`Frozen` is frozen" in refusal(freezes, X)
    assert "makes its objects in a way that cannot be read here" in refusal(lambda x: Number(x[0]) * x[0], X)
    assert "a generator cannot be differentiated" in refusal(lambda x, z: sum(v * x[0] for v in z), X, lazy)
    assert "has no attribute `missing`" in refusal(lambda x: np.sum(State(x, x).missing), X)


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: np.ndarray
