"""Readers of CSVs as contenders, from the file to a standardised float32 matrix: python csv_peer.py <pandas|polars|duckdb>."""

import importlib
import platform
import sys

from serve import serve, unavailable

READER = sys.argv[1]

try:
    import numpy as np

    library = importlib.import_module(READER)
except ImportError as error:
    unavailable(error)


def read_pandas(path, target):
    table = library.read_csv(path).drop(columns=target)
    return [table[name].to_numpy() for name in table]


def read_polars(path, target):
    table = library.read_csv(path).drop(target)
    return [column.to_numpy() for column in table.get_columns()]


def read_duckdb(path, target):
    query = f'SELECT * EXCLUDE ("{target}") FROM read_csv($path)'
    return list(library.execute(query, {"path": path}).fetchnumpy().values())


READ = {"pandas": read_pandas, "polars": read_polars, "duckdb": read_duckdb}[READER]


def standardized(columns):
    """[rows, features] float32, row after row in memory: each column to mean 0 and variance 1, a constant one to 0."""
    matrix = np.empty((len(columns), len(columns[0])), dtype=np.float32)
    for x, column in zip(matrix, columns):
        x[:] = column
        x -= x.mean()
        x /= x.std() or 1
    return np.ascontiguousarray(matrix.T)


def prepare(task):
    def run(passes):
        for _ in range(passes):
            X = standardized(READ(task["path"], task["target"]))
        return {"steps": passes, "check": float(np.abs(X[len(X) // 2]).mean())}

    return run


NAMES = {"pandas": "pandas", "polars": "Polars", "duckdb": "DuckDB"}
serve({"Python": platform.python_version(), "NumPy": np.__version__, NAMES[READER]: library.__version__}, prepare)
