"""Methods, properties, inheritance, callable instances, instances made or changed inside the function."""

from dataclasses import dataclass, field

import numpy as np
from cases import Battery, M, X, Y

case = Battery()


class Model:
    scale = 2.0

    def __init__(self, w, b):
        self.w, self.b = w, b
        self.name = "model"

    def predict(self, x):
        return x @ self.w + self.b

    @property
    def penalty(self):
        return np.sum(self.w**2) * self.scale

    @staticmethod
    def square(v):
        return v * v

    @classmethod
    def scaled(cls, v):
        return v * cls.scale

    def __call__(self, x):
        return self.square(self.predict(x))


class Deep(Model):
    scale = 3.0

    def predict(self, x):
        return np.tanh(super().predict(x))


MODEL = Model(np.array([0.5, -0.4, 1.2]), 0.3)
DEEP = Deep(np.array([0.5, -0.4, 1.2]), 0.3)


@case(X)
def method_of_a_global_instance(x):
    return MODEL.predict(x) ** 2


@case(X)
def callable_instance(x):
    return MODEL(x)


@case(X)
def property_of_an_instance(x):
    return np.sum(x**2) * MODEL.penalty


@case(X)
def class_attribute_static_and_class_method(x):
    return np.sum(Model.square(x)) * Deep.scale + np.sum(MODEL.scaled(x))


@case(X)
def inheritance_and_super(x):
    return DEEP(x) + DEEP.penalty * x[0]


@case(X)
def bound_method_as_a_value(x):
    f = DEEP.predict
    return f(x) * f(x * 2.0)


@case(X, Y)
def instance_made_inside(x, y):
    model = Model(x, y[0])
    return model(y) + model.penalty


@case(X, Y)
def derived_instance_made_inside(x, y):
    return Deep(x, y[1])(y)


@case(X)
def attribute_assigned_on_a_new_instance(x):
    model = Model(x, 0.0)
    model.b = x[0] ** 2
    model.w = model.w * 2.0
    model.w[0] += 1.0
    return model.predict(x)


@case(X)
def attribute_augmented_on_a_new_instance(x):
    model = Model(x * 1.0, x[1])
    model.b += x[0]
    model.w *= 3.0
    return model.predict(x)


class Counter:
    def __init__(self):
        self.total = 0.0

    def add(self, v):
        self.total = self.total + v
        return self


@case(X)
def state_kept_in_an_instance(x):
    counter = Counter()
    counter.add(x[0]).add(x[1] ** 2)
    counter.add(x[2])
    return counter.total**2


@case(X, 3)
def state_kept_in_an_instance_through_a_loop(x, n):
    counter = Counter()
    for i in range(n):
        counter.add(x[i] ** 2)
    return counter.total**2


class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y)

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)

    __rmul__ = __mul__

    def __matmul__(self, other):
        return self.x * other.x + self.y * other.y

    def __neg__(self):
        return Vector(-self.x, -self.y)

    def __getitem__(self, i):
        return (self.x, self.y)[i]

    def __len__(self):
        return 2

    def __iter__(self):
        yield self.x
        yield self.y


@case(X)
def operators_of_a_class(x):
    a, b = Vector(x[0], x[1]), Vector(x[2], 1.0)
    return (a + b * 2.0 - 3.0 * a) @ -b


@case(X)
def indexing_and_length_of_a_class(x):
    v = Vector(x[0], x[1] ** 2)
    return v[0] * v[1] * len(v)


@dataclass
class Point:
    x: float
    y: float
    weight: float = 2.0

    def norm(self):
        return np.sqrt(self.x**2 + self.y**2) * self.weight


@dataclass(frozen=True)
class Frozen:
    a: object
    parts: tuple = field(default_factory=tuple)


@case(X)
def dataclass_made_inside(x):
    p = Point(x[0], y=x[1])
    p.weight = x[2]
    return p.norm()


@case(X)
def frozen_dataclass_made_inside(x):
    f = Frozen(x**2, (x[0],))
    return np.sum(f.a) * f.parts[0]


class Slotted:
    __slots__ = ("w",)

    def __init__(self, w):
        self.w = w


@case(X)
def slots(x):
    s = Slotted(x * 2.0)
    s.w = s.w + 1.0
    return np.sum(s.w**2)


class Layer:
    def __init__(self, w):
        self.w = w

    def __call__(self, x):
        return np.tanh(self.w @ x)


class Net:
    def __init__(self, *weights):
        self.layers = [Layer(w) for w in weights]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


@case(X, M)
def net_made_inside(x, m):
    net = Net(m, m.T)
    return np.sum(net(x) ** 2)


NET = Net(np.array([[0.2, -0.5, 0.7], [1.0, 0.4, -0.3]]), np.array([[0.3, 0.8], [-0.6, 0.1]]))


@case(X)
def net_of_constants(x):
    return np.sum(NET(x) ** 2)


@case(X)
def getattr_and_hasattr(x):
    w = MODEL.w if hasattr(MODEL, "w") else x
    return np.sum(w * x**2) * getattr(MODEL, "missing", 2.0)


@case(X)
def isinstance_of_a_class(x):
    return DEEP(x) if isinstance(DEEP, Model) and not isinstance(MODEL, Deep) else 0.0


class Context:
    def __enter__(self):
        return 2.0

    def __exit__(self, *error):
        return False


class Parent:
    def __init__(self, w):
        self.w = w

    def forward(self, x):
        return self.activation(x * self.w)

    def activation(self, v):
        return v


class Child(Parent):
    def __init__(self, w, k):
        super().__init__(w)
        self.k = k

    def activation(self, v):
        return np.sin(v) * self.k


@case(X)
def template_method(x):
    return np.sum(Child(x, 2.0).forward(x)) + np.sum(Parent(x).forward(x))


@case(X)
def class_defined_inside_is_refused_or_right(x):
    holder = type(MODEL)(x, 1.0)
    return holder.predict(x)
