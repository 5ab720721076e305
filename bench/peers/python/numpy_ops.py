"""Operations of NumPy, the same as those of `tensor/workloads.ts`.

Prints "value", then answers each line with the microseconds of one operation.
"""

import sys
import time

import numpy as np

SAMPLE = 0.12
BATCH = 0.001
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


class Sampler:
    """The shortest of batches of a millisecond (rule SA1 of tensor/sampled.ts)."""

    def __init__(self, operation):
        self.operation = operation
        self.batch = 1

    def sample(self, least):
        shortest = float("inf")
        begun = last = time.perf_counter()
        while True:
            for _ in range(self.batch):
                self.operation()
            now = time.perf_counter()
            if now - last < BATCH:
                self.batch *= 2
            else:
                shortest = min(shortest, (now - last) / self.batch)
            last = now
            if now - begun >= least and shortest < float("inf"):
                return shortest * 1e6


sampler = Sampler(WORKLOADS[sys.argv[1]]())
sampler.sample(WARM_UP)
print("value", flush=True)
for line in sys.stdin:
    print(sampler.sample(SAMPLE), flush=True)
