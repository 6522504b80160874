"""Predictions of a CSV by other programs, from the file to a CSV: python predict_peer.py <onnxruntime|sklearn> [1]."""

import os
import platform
import sys

LIBRARY, ONE_THREAD = sys.argv[1], sys.argv[2:] == ["1"]
if ONE_THREAD:
    for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"]:
        os.environ[name] = "1"

from serve import serve, unavailable

try:
    import numpy as np
    import pandas as pd

    if LIBRARY == "onnxruntime":
        import onnxruntime as library
    else:
        import sklearn as library
        from sklearn.neural_network import MLPClassifier
except ImportError as error:
    unavailable(error)


def with_onnxruntime(task):
    """The exported model, which takes raw cells: a matrix of numbers, or a column for each feature."""
    options = library.SessionOptions()
    options.intra_op_num_threads = 1 if ONE_THREAD else 0
    session = library.InferenceSession(task["onnx"], options, providers=["CPUExecutionProvider"])
    inputs = session.get_inputs()
    types = {"tensor(float)": np.float32, "tensor(double)": np.float64}

    def predict(table):
        if inputs[0].name not in table:
            features = table.drop(columns=task["target"]).to_numpy(types[inputs[0].type])
            return session.run(None, {inputs[0].name: features})
        feeds = {}
        for column in inputs:
            cells = table[column.name]
            text = column.type == "tensor(string)"
            cells = cells.fillna("").to_numpy(object) if text else cells.to_numpy(types[column.type])
            feeds[column.name] = cells.reshape([-1] + [1] * (len(column.shape) - 1))
        return session.run(None, feeds)

    return predict


def with_sklearn(task):
    """The same weights; columns are standardised as in training."""
    weights = np.load(task["weights"])
    layers = sorted({name.split(".")[1] for name in weights.files if name.startswith("layers.")}, key=int)
    first = pd.read_csv(task["path"])
    X = first.drop(columns=task["target"]).to_numpy(np.float32)
    mean, scale = X.mean(axis=0, dtype=np.float64), X.std(axis=0, dtype=np.float64)
    scale[scale == 0] = 1
    mean, scale = mean.astype(np.float32), scale.astype(np.float32)
    hidden = [len(weights[f"layers.{layer}.bias"]) for layer in layers[:-1]]
    model = MLPClassifier(hidden_layer_sizes=hidden, max_iter=1)
    classes = np.unique(first[task["target"]])
    rows = np.resize(np.arange(len(classes)), 2 * len(classes))
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X[: len(rows)], classes[rows])
    model.coefs_ = [weights[f"layers.{layer}.weight"] for layer in layers]
    model.intercepts_ = [weights[f"layers.{layer}.bias"].reshape(-1) for layer in layers]

    def predict(table):
        X = table.drop(columns=task["target"]).to_numpy(np.float32)
        probabilities = model.predict_proba((X - mean) / scale)
        return classes[probabilities.argmax(axis=1)], probabilities

    return predict


def prepare(task):
    predict = with_onnxruntime(task) if LIBRARY == "onnxruntime" else with_sklearn(task)

    def run(passes):
        for _ in range(passes):
            labels, probabilities = predict(pd.read_csv(task["path"]))
            result = pd.DataFrame(probabilities)
            result.insert(0, "prediction", labels)
            result.to_csv(task["output"] + "." + LIBRARY, index=False)
        return {"steps": passes, "check": float(probabilities[:, -1].mean(dtype=np.float64))}

    return run


NAME = {"onnxruntime": "onnxruntime", "sklearn": "scikit-learn"}[LIBRARY]
versions = {"Python": platform.python_version(), "NumPy": np.__version__, "pandas": pd.__version__}
serve({**versions, NAME: library.__version__}, prepare)
