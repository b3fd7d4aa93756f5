"""Reads table files with pyarrow, polars and DuckDB, and compares every cell with the text that was expected.

readWithPython.py EXPECTED.json FILE...   EXPECTED: {"columns": {name: [type, [cell, ...]]}, "units": {name: unit}}
Prints one line a reader and file; exits with 1 where a cell differs.
"""
import json
import struct
import sys

import duckdb
import polars
import pyarrow
import pyarrow.ipc
import pyarrow.parquet


def text(kind, value):
    if value is None:
        return None
    if isinstance(value, list):
        return [text(kind, item) for item in value]
    if kind == "float64":
        return format(struct.unpack("<Q", struct.pack("<d", value))[0], "x")
    if kind == "bool":
        assert value is True or value is False, value
        return "true" if value else "false"
    assert type(value) is (str if kind == "utf8" else int), (kind, value)
    return value if kind == "utf8" else str(value)


ARROW = {"float64": pyarrow.float64(), "int32": pyarrow.int32(), "bool": pyarrow.bool_(), "utf8": pyarrow.string()}
POLARS = {"float64": polars.Float64, "int32": polars.Int32, "bool": polars.Boolean, "utf8": polars.String}
DUCKDB = {"float64": "DOUBLE", "int32": "INTEGER", "bool": "BOOLEAN", "utf8": "VARCHAR"}


def with_pyarrow(path, columns):
    table = pyarrow.parquet.read_table(path) if path.endswith(".parquet") else pyarrow.ipc.open_stream(path).read_all()
    table.validate(full=True)
    for name, kind in columns.items():
        column = table[name]
        is_list = pyarrow.types.is_list(column.type)
        assert (column.type.value_type if is_list else column.type) == ARROW[kind], (name, column.type)
        yield name, column.to_pylist()


def with_polars(path, columns):
    table = polars.read_parquet(path) if path.endswith(".parquet") else polars.read_ipc_stream(path)
    for name, kind in columns.items():
        column = table[name]
        is_list = isinstance(column.dtype, polars.List)
        found = column.dtype.inner if is_list else column.dtype
        assert found == POLARS[kind], (name, found)
        yield name, column.to_list()


def with_duckdb(path, columns):
    relation = duckdb.read_parquet(path)
    types = dict(zip(relation.columns, map(str, relation.types)))
    for name, kind in columns.items():
        assert types[name].removesuffix("[]") == DUCKDB[kind], (name, types[name])
        yield name, [cell for (cell,) in relation.project(name).fetchall()]


with open(sys.argv[1]) as file:
    expected = json.load(file)
kinds = {name: kind for name, (kind, _) in expected["columns"].items()}
failed = False
for path in sys.argv[2:]:
    readers = [with_pyarrow, with_polars] + ([with_duckdb] if path.endswith(".parquet") else [])
    for reader in readers:
        wrong = []
        for name, cells in reader(path, kinds):
            kind, wanted = expected["columns"][name]
            found = [text(kind, cell) for cell in cells]
            if len(found) != len(wanted):
                wrong.append(f"{name}: {len(found)} rows, not {len(wanted)}")
            different = [(i, f, w) for i, (f, w) in enumerate(zip(found, wanted)) if f != w]
            if different:
                wrong.append(f"{name}: {len(different)} cells differ, first {different[0]!r} (row, found, wanted)")
        failed |= bool(wrong)
        print(f"{reader.__name__} {path.rsplit('.', 1)[1]}: {'; '.join(wrong) or 'same'}")
    if path.endswith(".arrows"):
        schema = pyarrow.ipc.open_stream(path).schema
        for name, unit in expected["units"].items():
            assert schema.field(name).metadata[b"unit"].decode() == unit, name
sys.exit(1 if failed else 0)
