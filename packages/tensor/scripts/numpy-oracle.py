#!/usr/bin/env python3
"""Writes test/fixtures/numpy.json and test/fixtures/true-values.json: what NumPy gives for shapes, views and operations, and what the
elementary functions are worth to 64 bits of mantissa (x87 long double).

Run with Debian's python3-numpy (1.24.2 made what is committed) on x86-64: /usr/bin/python3 scripts/numpy-oracle.py
"""

import itertools
import json
import os

import numpy as np

rng = np.random.default_rng(20260122)
cases = []
NAMES = {"float32": "f32", "float64": "f64", "int32": "i32", "int8": "i8", "uint8": "u8", "bool": "bool", "int64": "i32"}


def number(x):
    if isinstance(x, (bool, np.bool_)):
        return bool(x)
    if np.issubdtype(type(x), np.integer):
        return int(x)
    if np.isnan(x):
        return "nan"
    if np.isinf(x):
        return "inf" if x > 0 else "-inf"
    if x == 0 and np.signbit(x):
        return "-0"
    return float(str(x))


def tensor(a):
    a = np.asarray(a)
    return {"dtype": NAMES[str(a.dtype)], "shape": list(a.shape), "data": [number(x) for x in a.ravel()]}


def case(op, inputs, output, **args):
    cases.append({"op": op, "in": [tensor(a) for a in inputs], "args": args, "out": tensor(output)})


def sample(shape, dtype):
    if dtype in ("float32", "float64"):
        return np.round(rng.normal(size=shape) * 4, 3).astype(dtype)
    if dtype == "bool":
        return rng.integers(0, 2, size=shape).astype(bool)
    low, high = (0, 256) if dtype == "uint8" else (-128, 128)
    return rng.integers(low, high, size=shape).astype(dtype)


special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-40, 3.4e38, -1.5, 2.5], dtype="float32")

# Broadcasting of two operands.
shapes = [((3,), ()), ((2, 3), (3,)), ((2, 1), (1, 4)), ((4, 1, 2), (3, 1)), ((0, 3), (1, 3)), ((2, 0), (1,)), ((1,), (5,)), ((), ())]
binary = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "minimum": np.minimum, "maximum": np.maximum}
compare = {"equal": np.equal, "less": np.less, "lessEqual": np.less_equal}
for (left, right), (name, f) in itertools.product(shapes, binary.items()):
    dtype = ["float32", "float64", "int32", "int8", "uint8"][len(cases) % 5]
    a, b = sample(left, dtype), sample(right, dtype)
    case(name, [a, b], f(a, b))
for left, right in shapes:
    a, b = sample(left, "float32"), sample(right, "float32")
    case("div", [a, b], np.divide(a, b))
    a, b = [np.asarray(sample(shape, "int8") // 32, dtype="int8") for shape in (left, right)]
    for name, f in compare.items():
        case(name, [a, b], f(a, b))
with np.errstate(all="ignore"):
    grid, row = special[:, None] + np.zeros_like(special), special
    for name, f in {**binary, **compare, "div": np.divide}.items():
        case(name, [grid, row], f(grid, row))
    for name, f in {"neg": np.negative, "abs": np.abs, "sqrt": np.sqrt}.items():
        case(name, [special], f(special))

# Reductions over axes.
reductions = {"sum": np.sum, "mean": np.mean, "variance": np.var, "min": np.min, "max": np.max, "argmin": np.argmin, "argmax": np.argmax}
a = sample((3, 4, 5), "float32")
for name, f in reductions.items():
    for axis in [None, 0, 1, 2, -1] + ([] if name.startswith("arg") else [(0, 2), (1, 2), (2, 0)]):
        case(name, [a], f(a, axis=axis), axis=axis)
    if not name.startswith("arg"):
        case(name, [a], f(a, axis=1, keepdims=True), axis=1, keepDims=True)
case("variance", [a], np.var(a, axis=1, ddof=1), axis=1, ddof=1)
for axis in [None, 0, 2]:
    case("norm", [a], np.linalg.norm(a.ravel()) if axis is None else np.linalg.norm(a, axis=axis), axis=axis)
for dtype in ["int32", "int8", "uint8", "bool"]:
    b = sample((4, 3), dtype)
    case("sum", [b], np.sum(b, axis=0, dtype="int32"), axis=0)
ties = np.array([[1, 3, 3, 2], [5, 5, 0, 5]], dtype="int32")
case("argmax", [ties], np.argmax(ties, axis=1), axis=1)
withnan = np.array([[1, np.nan, 3], [np.nan, 2, np.nan]], dtype="float32")
for name in ["argmax", "argmin", "min", "max"]:
    case(name, [withnan], reductions[name](withnan, axis=1), axis=1)

# Products.
for left, right in [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 1, 2, 3), (4, 3, 2)), ((4, 2, 3), (3,)), ((3,), (4, 3, 2)), ((2, 0), (0, 3))]:
    for dtype in ["float32", "float64", "int32"]:
        a, b = sample(left, dtype), sample(right, dtype)
        case("matmul", [a, b], np.matmul(a, b))
a, b = sample((3, 17), "int8"), sample((17, 5), "int8")
case("matmul", [a, b], np.matmul(a.astype("int32"), b.astype("int32")))

# Views: each gives the elements it should.
a = np.arange(24, dtype="int32").reshape(2, 3, 4)
for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1], [0, -1, 1]]:
    case("transpose", [a], np.transpose(a, order), order=order)
    for shape in [[24], [4, 6], [-1, 2], [2, 2, 2, 3], [3, 1, 8]]:
        case("transposeReshape", [a], np.transpose(a, order).reshape(shape), order=order, shape=shape)
parts = [[[1, None, None]], [[None, None, -1], 1], [[0, 2, 1], [None, None, 2], [3, 0, -1]], [-1, [-2, 9, None], [-1, None, -2]], [[5, 9, None]], [1, 2, 3]]
for part in parts:
    index = tuple(p if isinstance(p, int) else slice(*p) for p in part)
    case("slice", [a], a[index], parts=part)
case("broadcastTo", [a[:, :1]], np.broadcast_to(a[:, :1], (5, 2, 3, 4)), shape=[5, 2, 3, 4])

# Casts, where NumPy defines them.
f = np.array([0.0, -0.0, 1.9, -1.9, 100.5, -128.0, 127.99], dtype="float64")
for dtype in ["float32", "int32", "int8", "bool"]:
    case("cast", [f], f.astype(dtype), dtype=NAMES[dtype])
wide = np.array([-129, 255, 256, 2**31 - 1, -(2**31), 65537], dtype="int32")
for dtype in ["int8", "uint8", "float32", "float64", "bool"]:
    case("cast", [wide], wide.astype(dtype), dtype=NAMES[dtype])
case("arange", [], np.arange(2, 11, 3, dtype="float32"), start=2, end=11, step=3)
case("arange", [], np.arange(5, -1, -2, dtype="int32"), start=5, end=-1, step=-2, dtype="i32")
c, x, y = sample((3, 1), "bool"), sample((2, 1, 4), "float32"), sample((4,), "float32")
case("select", [c, x, y], np.where(c, x, y))

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../test/fixtures")
with open(os.path.join(here, "numpy.json"), "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")

# True values: x, and the function's value as the sum of two float64.
assert np.finfo(np.longdouble).nmant >= 63
L = np.longdouble


def gelu(x):
    y = np.sqrt(L(2) / L("3.14159265358979323846264338327950288")) * (x + L(0.044715) * x**3)
    return x / (1 + np.exp(-2 * y))


functions = {
    "exp": (np.exp, -745, 709.7),
    "log": (np.log, 0, 50),
    "tanh": (np.tanh, -20, 20),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), -700, 40),
    "gelu": (gelu, -12, 12),
    "silu": (lambda x: x / (1 + np.exp(-x)), -700, 40),
}
values = {}
for name, (f, low, high) in functions.items():
    near = rng.uniform(-1, 1, 60) * 10.0 ** rng.integers(-12, 1, 60)
    points = np.concatenate([rng.uniform(low, high, 120), near if low < 0 else np.abs(near), 1 + near * 1e-3])
    if name == "log":
        points = np.concatenate([points, 2.0 ** rng.uniform(-1074, 1023, 60)])
    rows = []
    for x in points:
        true = f(L(x))
        high_part = np.float64(true)
        if high_part == 0 or abs(high_part) < 1e-290:
            continue
        rows.append([float(x), float(high_part), float(np.float64(true - L(high_part)))])
    values[name] = rows
with open(os.path.join(here, "true-values.json"), "w") as file:
    file.write("{\n" + ",\n".join(f'"{k}":[\n' + ",\n".join(json.dumps(r, separators=(",", ":")) for r in v) + "\n]" for k, v in values.items()) + "\n}\n")
print(len(cases), "cases,", sum(len(v) for v in values.values()), "true values")
