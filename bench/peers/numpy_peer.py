"""The NumPy class as a contender: python numpy_peer.py <float32|float64>."""

import platform
import sys

from serve import serve, unavailable

try:
    import numpy as np
except ImportError as error:
    unavailable(error)

from data import minibatches, read_data
from numpy_mlp import MLP

DTYPE = sys.argv[1]


def prepare(task):
    # The class has a dtype of its own: a homework in float64 stays one, whatever the others take.
    task = {**task, "dtype": DTYPE}
    return prepare_training(task) if task["kind"] == "train" else prepare_product(task)


def prepare_training(task):
    X, y = read_data(task)
    model = MLP(task["sizes"], DTYPE, task["optimizer"], task["learningRate"])
    batches = minibatches(len(X), task["batch"], np.random.RandomState(0).permutation)

    def run(steps):
        for _ in range(steps):
            rows = next(batches)
            loss = model.step(X[rows], y[rows])
        return {"steps": steps, "loss": float(loss)}

    return run


def prepare_product(task):
    a = np.full((task["m"], task["k"]), 1.5, dtype=DTYPE)
    b = np.full((task["k"], task["n"]), -0.5, dtype=DTYPE)
    c = np.empty((task["m"], task["n"]), dtype=DTYPE)

    def run(calls):
        for _ in range(calls):
            np.matmul(a, b, out=c)
        return {"steps": calls}

    return run


serve({"Python": platform.python_version(), "NumPy": np.__version__}, prepare)
