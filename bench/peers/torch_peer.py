"""PyTorch as a contender: python torch_peer.py [threads]; its own choice of threads if left out."""

import platform
import sys

from serve import serve, unavailable

try:
    import torch
    from torch import nn
except ImportError as error:
    unavailable(error)

from data import minibatches, read_data

if len(sys.argv) > 1:
    torch.set_num_threads(int(sys.argv[1]))
torch.manual_seed(0)


def prepare(task):
    return prepare_training(task) if task["kind"] == "train" else prepare_product(task)


def prepare_training(task):
    dtype = getattr(torch, task["dtype"])
    features, labels = read_data(task)
    X, y = torch.from_numpy(features), torch.from_numpy(labels)
    sizes = task["sizes"]
    layers = []
    for fan_in, units in zip(sizes, sizes[1:]):
        layers += [nn.Linear(fan_in, units, dtype=dtype), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    criterion = nn.CrossEntropyLoss()
    if sizes[-1] == 1:
        criterion = nn.BCEWithLogitsLoss()
        y = y.to(dtype)[:, None]
    Optimizer = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[task["optimizer"]]
    optimizer = Optimizer(model.parameters(), lr=task["learningRate"])
    batches = minibatches(len(X), task["batch"], torch.randperm)

    def run(steps):
        for _ in range(steps):
            rows = next(batches)
            optimizer.zero_grad()
            loss = criterion(model(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
        return {"steps": steps, "loss": loss.item()}

    return run


def prepare_product(task):
    dtype = getattr(torch, task["dtype"])
    a = torch.full((task["m"], task["k"]), 1.5, dtype=dtype)
    b = torch.full((task["k"], task["n"]), -0.5, dtype=dtype)
    c = torch.empty((task["m"], task["n"]), dtype=dtype)

    def run(calls):
        for _ in range(calls):
            torch.matmul(a, b, out=c)
        return {"steps": calls}

    return run


versions = {"Python": platform.python_version(), "PyTorch": torch.__version__, "threads": torch.get_num_threads()}
serve(versions, prepare)
