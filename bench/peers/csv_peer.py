"""Readers of files as contenders, to a standardised float32 matrix or a table: python csv_peer.py <pandas|polars|duckdb>."""

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


def table_pandas(path):
    """[columns]: numbers as float64, texts as codes. And the number of levels of all texts."""
    table = library.read_parquet(path) if path.endswith("parquet") else library.read_csv(path)
    numbers = [table[name].to_numpy(dtype="float64") for name in table if table[name].dtype.kind in "iuf"]
    texts = [library.factorize(table[name]) for name in table if table[name].dtype.kind not in "iuf"]
    return numbers, sum(len(levels) for _, levels in texts)


def table_polars(path):
    table = library.read_parquet(path) if path.endswith("parquet") else library.read_csv(path)
    is_text = lambda column: column.dtype == library.String
    numbers = [column.cast(library.Float64).to_numpy() for column in table if not is_text(column)]
    texts = [column.cast(library.Categorical) for column in table if is_text(column)]
    codes = [column.to_physical().to_numpy() for column in texts]
    return numbers, sum(column.drop_nulls().n_unique() for column in texts)


def table_duckdb(path):
    table = library.sql(f"SELECT * FROM '{path}'").to_arrow_table()
    is_text = lambda column: str(column.type) == "string"
    numbers = [column.cast("float64").to_numpy() for column in table.columns if not is_text(column)]
    texts = [column.combine_chunks().dictionary_encode() for column in table.columns if is_text(column)]
    return numbers, sum(len(column.dictionary) for column in texts)


TABLE = {"pandas": table_pandas, "polars": table_polars, "duckdb": table_duckdb}[READER]
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
    def run_table(passes):
        for _ in range(passes):
            numbers, levels = TABLE(task["path"])
        middle = len(numbers[0]) // 2
        return {"steps": passes, "check": float(sum(column[middle] for column in numbers) + levels)}

    def run(passes):
        for _ in range(passes):
            X = standardized(READ(task["path"], task["target"]))
        return {"steps": passes, "check": float(np.abs(X[len(X) // 2]).mean())}

    return run_table if task["kind"] == "table" else run


NAMES = {"pandas": "pandas", "polars": "Polars", "duckdb": "DuckDB"}
serve({"Python": platform.python_version(), "NumPy": np.__version__, NAMES[READER]: library.__version__}, prepare)
