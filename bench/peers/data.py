"""The data of a training task, and the way through it that all Python contenders share."""

import numpy as np


def read_data(task):
    """features [rows, inputs] in the task's dtype, labels [rows]"""
    data = task["data"]
    features = np.fromfile(data["features"], dtype="<f8").reshape(data["rows"], -1)
    labels = np.fromfile(data["labels"], dtype="<i4")
    return features.astype(task["dtype"]), labels.astype(np.int64)


def minibatches(rows, batch, permutation):
    """Row numbers of one batch after the other, without end: a fresh permutation for each epoch."""
    while True:
        order = permutation(rows)
        for start in range(0, rows, batch):
            yield order[start : start + batch]
