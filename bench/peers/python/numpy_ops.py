"""Operations of NumPy, the same as those of `tensor/workloads.ts`.

Prints "value", then answers each line with the microseconds of one operation, measured over some tens of milliseconds.
"""

import sys
import time

import numpy as np

LEAST = 0.04
WARM_UP = 0.4
LARGE = 1_000_000


def product(side):
    a = np.random.rand(side, side).astype(np.float32)
    b = np.random.rand(side, side).astype(np.float32)
    out = np.empty((side, side), dtype=np.float32)
    return lambda: np.matmul(a, b, out=out)


def elements(work):
    a = np.random.rand(LARGE).astype(np.float32)
    b = np.random.rand(LARGE).astype(np.float32)
    out = np.empty(LARGE, dtype=np.float32)
    return lambda: work(a, b, out)


def axpy(a, b, out):
    """b += a / 2. NumPy has no such operation: a product and a sum."""
    np.multiply(a, np.float32(0.5), out=out)
    np.add(b, out, out=b)


WORKLOADS = {
    "sgemm-64": lambda: product(64),
    "sgemm-512": lambda: product(512),
    "sgemm-1024": lambda: product(1024),
    "dot-1m": lambda: elements(lambda a, b, out: np.dot(a, b)),
    "axpy-1m": lambda: elements(axpy),
    "add-1m": lambda: elements(lambda a, b, out: np.add(a, b, out=out)),
    "exp-1m": lambda: elements(lambda a, b, out: np.exp(a, out=out)),
}


def sample(operation, least):
    begun = time.perf_counter()
    done = 0
    while True:
        operation()
        done += 1
        spent = time.perf_counter() - begun
        if spent >= least:
            return spent / done * 1e6


operation = WORKLOADS[sys.argv[1]]()
sample(operation, WARM_UP)
print("value", flush=True)
for line in sys.stdin:
    print(sample(operation, LEAST), flush=True)
