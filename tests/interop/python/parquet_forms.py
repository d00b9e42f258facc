"""Random Parquet files of pyarrow, in all its encodings, codecs and forms of pages.

usage: parquet_forms.py FOLDER FILES SEED

Beside N.parquet, N.json has the times and the values of each column, null where there is none, and
how the file was written.
"""

import decimal
import json
import random
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

NS = {"ns": 1, "us": 1000, "ms": 1_000_000}
INTEGERS = {f"{sign}{bits}": bits for bits in (8, 16, 32, 64) for sign in ("int", "uint")}
DECIMALS = {"decimal9": (9, 3), "decimal30": (30, 6), "decimal60": (60, 10)}
KINDS = ["float64", "float32", "float16", *INTEGERS, *DECIMALS]


def made(kind, rows, rng):
    """A column without nulls, and its values as doubles."""
    alike = random.choice([rows, 1, 5])
    pick = np.arange(rows) % alike
    if kind in DECIMALS:
        precision, scale = DECIMALS[kind]
        whole = [int(x) for x in rng.integers(-(10**8), 10**8, rows)[pick]]
        if kind == "decimal60":
            whole = [x * 10**9 + 7 for x in whole]
        values = [decimal.Decimal(x).scaleb(-scale) for x in whole]
        make = pa.decimal256 if kind == "decimal60" else pa.decimal128
        return pa.array(values, type=make(precision, scale)), [float(x) for x in values]
    if kind in INTEGERS:
        info = np.iinfo(kind)
        # No double holds all integers beyond.
        low, high = max(info.min, -(2**53)), min(info.max, 2**53)
        values = rng.integers(low, high, rows, dtype=kind, endpoint=True)[pick]
    else:
        values = np.clip(rng.normal(size=rows) * 10.0 ** random.randrange(-5, 5), -6e4, 6e4)
        values = values[pick].astype(kind)
    return pa.array(values), [float(x) for x in values]


def encoding_of(kind):
    """One that is not the usual one."""
    if kind in DECIMALS:
        return random.choice(["DELTA_BYTE_ARRAY", "BYTE_STREAM_SPLIT"])
    if kind in ("int32", "int64", "uint32", "uint64"):
        return random.choice(["DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"])
    return "DELTA_BINARY_PACKED" if kind in INTEGERS else "BYTE_STREAM_SPLIT"


def write(path, rng):
    rows = random.choice([1, 2, 7, 100, 1000, 5000])
    unit = random.choice([None, *NS])
    step = NS[unit or "ns"]
    times = (1_700_000_000 * 10**9 + np.cumsum(rng.integers(0, 10**9, rows))) // step
    columns = {}
    if random.random() < 0.4:
        # Names that stand further down too.
        inner = [pa.array(rng.integers(0, 9, rows)), pa.array(["x"] * rows)]
        columns["struct"] = pa.StructArray.from_arrays(inner, ["c0", "time"])
    if random.random() < 0.3:
        columns["list"] = pa.array([[1.5] * random.randrange(3) for _ in range(rows)])
    zone = random.choice([None, "UTC"])
    columns["time"] = pa.array(times, type=pa.int64() if unit is None else pa.timestamp(unit, zone))
    expected, encodings, dictionaries = {}, {}, []
    for c in range(random.randrange(1, 6)):
        name, kind = f"c{c}", random.choice(KINDS)
        column, values = made(kind, rows, rng)
        missing = rng.random(rows) < random.choice([0, 0, 0.1, 0.9, 1])
        columns[name] = pa.array(
            [None if no else x for x, no in zip(column, missing)], type=column.type
        )
        expected[name] = [None if no else x for x, no in zip(values, missing)]
        how = random.choice(["dictionary", "plain", "other"])
        if how == "dictionary":
            dictionaries.append(name)
        elif how == "other":
            encodings[name] = encoding_of(kind)
    form = {
        "compression": random.choice(["none", "snappy", "zstd", "gzip", "brotli", "lz4"]),
        "data_page_size": random.choice([100, 1000, 2**20]),
        "data_page_version": random.choice(["1.0", "2.0"]),
        "row_group_size": random.choice([max(1, rows // 3), rows]),
        "use_dictionary": dictionaries,
        "column_encoding": encodings or None,
        "write_page_index": random.random() < 0.5,
        "use_deprecated_int96_timestamps": unit is not None and random.random() < 0.2,
        "write_page_checksum": random.random() < 0.5,
    }
    pq.write_table(pa.table(columns), f"{path}.parquet", **form)
    with open(f"{path}.json", "w") as file:
        ns = [str(int(time) * step) for time in times]
        json.dump({"times": ns, "values": expected, "form": str(form)}, file)


folder, files, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
generator = np.random.default_rng(seed)
for number in range(files):
    write(f"{folder}/{number}", generator)
