"""The contenders in Python: one JSON request on standard input, one JSON answer on standard output.

{"do": "versions"}: the versions of each contender, or why it is missing.
{"do": "split", "train": all rows, "target", "task"}: which rows train_test_split takes for the test.
{"do": "run", "contender", "train", "test", "target", "task", "seed", "threads"}: trains on one file and predicts the other.

All train on the same rows with the library's defaults. Cells that are empty are missing. A column of which a training row holds text is a
category.
"""

import json
import sys
import time
import warnings
from importlib.metadata import PackageNotFoundError, version

# Libraries may print; the answer has the real stdout to itself.
_out, sys.stdout = sys.stdout, sys.stderr
warnings.simplefilter("ignore")


def read(request):
    """Features of training and test rows, numbers as float64 and categories as text (missing: ""), and both targets."""
    import pandas as pd

    train, test = (pd.read_csv(request[name], dtype=str, keep_default_na=False) for name in ("train", "test"))
    targets = [frame.pop(request["target"]) for frame in (train, test)]
    categories = []
    for name in train:
        numbers = pd.to_numeric(train[name].replace("", None), errors="coerce")
        if numbers.isna().sum() == (train[name] == "").sum():
            train[name] = numbers.astype(float)
            test[name] = pd.to_numeric(test[name], errors="coerce").astype(float)
        else:
            categories.append(name)
    # LightGBM refuses some characters in names.
    names = {name: f"c{i}" for i, name in enumerate(train)}
    return train.rename(columns=names), test.rename(columns=names), [names[name] for name in categories], targets


def as_categories(train, test, names, most=None):
    """Pandas' categories, of levels in training rows; with `most`, rarer levels beyond it are missing."""
    import pandas as pd

    for name in names:
        levels = sorted(train[name].value_counts().index[:most])
        for frame in (train, test):
            frame[name] = pd.Categorical(frame[name], categories=levels)


def sklearn_mlp(task, train, test, categories, options):
    """Inputs scaled, missing numbers as the mean, categories one-hot; targets of a regression scaled too, or it fails."""
    from sklearn.compose import TransformedTargetRegressor, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [name for name in train if name not in categories]
    encoder = make_column_transformer(
        (make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
    )
    kind = MLPRegressor if task == "regression" else MLPClassifier
    model = make_pipeline(encoder, kind(random_state=options["seed"]))
    if task == "regression":
        model = TransformedTargetRegressor(model, transformer=StandardScaler())
    return model, {}


def sklearn_hgb(task, train, test, categories, options):
    """Native categories, of which it takes at most 255 levels a column."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    as_categories(train, test, categories, most=255)
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    return kind(categorical_features="from_dtype", random_state=options["seed"]), {}


def lightgbm(task, train, test, categories, options):
    from lightgbm import LGBMClassifier, LGBMRegressor

    as_categories(train, test, categories)
    kind = LGBMRegressor if task == "regression" else LGBMClassifier
    return kind(random_state=options["seed"], n_jobs=options["threads"], deterministic=True, verbose=-1), {}


def catboost(task, train, test, categories, options):
    from catboost import CatBoostClassifier, CatBoostRegressor

    kind = CatBoostRegressor if task == "regression" else CatBoostClassifier
    settings = {"thread_count": options["threads"], "verbose": 0, "allow_writing_files": False}
    return kind(random_seed=options["seed"], cat_features=categories, **settings), {}


def realmlp(task, train, test, categories, options):
    """It takes a fifth of the training rows for validation, and no missing numbers: they become the mean, and a category tells them."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    numbers = [name for name in train if name not in categories]
    for name in numbers:
        mean = train[name].mean()
        if train[name].isna().any():
            categories = [*categories, f"{name}_missing"]
            for frame in (train, test):
                frame[f"{name}_missing"] = frame[name].isna().map({True: "yes", False: "no"})
        for frame in (train, test):
            frame[name] = frame[name].fillna(0 if mean != mean else mean)
    as_categories(train, test, categories)
    kind = RealMLP_TD_Regressor if task == "regression" else RealMLP_TD_Classifier
    settings = {"device": "cpu", "n_threads": options["threads"], "random_state": options["seed"]}
    return kind(**settings), {"cat_col_names": categories}


# Each with the packages whose versions tell it.
CONTENDERS = {
    "sklearn-mlp": (sklearn_mlp, ["scikit-learn"]),
    "sklearn-hgb": (sklearn_hgb, ["scikit-learn"]),
    "lightgbm": (lightgbm, ["lightgbm"]),
    "catboost": (catboost, ["catboost"]),
    "realmlp": (realmlp, ["pytabkit", "torch"]),
}


def versions(request):
    answer = {}
    for name, (_, packages) in CONTENDERS.items():
        try:
            answer[name] = {"version": ", ".join(f"{package} {version(package)}" for package in packages)}
        except PackageNotFoundError as error:
            answer[name] = {"unavailable": str(error)}
    return answer


def split(request):
    import pandas as pd
    from sklearn.model_selection import train_test_split

    target = pd.read_csv(request["train"], dtype=str, keep_default_na=False)[request["target"]]
    stratify = None if request["task"] == "regression" else target
    _, test = train_test_split(range(len(target)), test_size=0.25, random_state=0, stratify=stratify)
    return {"test": sorted(test)}


def run(request):
    import numpy as np

    task = request["task"]
    train, test, categories, (target, _) = read(request)
    if task == "regression":
        y = target.astype(float).to_numpy()
    else:
        classes, y = np.unique(target.to_numpy(dtype=str), return_inverse=True)
    build, _ = CONTENDERS[request["contender"]]
    model, more = build(task, train, test, categories, request)
    # Importing the library is not training.
    wall, cpu = time.perf_counter(), cpu_seconds()
    model.fit(train, y, **more)
    answer = {"wallSeconds": time.perf_counter() - wall, "cpuSeconds": cpu_seconds() - cpu}
    if task == "regression":
        return {**answer, "values": np.ravel(model.predict(test)).tolist()}
    labels = classes[np.ravel(model.predict(test)).astype(int)]
    return {
        **answer,
        "labels": labels.tolist(),
        "classes": classes.tolist(),
        "probabilities": np.asarray(model.predict_proba(test), dtype=float).tolist(),
    }


def cpu_seconds():
    """Of this process with all its threads, and of its children that ended."""
    try:
        import resource
    except ImportError:  # Windows
        return time.process_time()
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    request = json.load(sys.stdin)
    answer = {"versions": versions, "split": split, "run": run}[request["do"]](request)
    print(json.dumps(answer), file=_out, flush=True)
