"""Tables written and read by pandas, polars, pyarrow and DuckDB.

usage: tables.py write FOLDER   writes the same rows in every way that there is
       tables.py read FILE…     prints what each reader counts and averages
"""

import datetime
import decimal
import json
import sys

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.feather as pf
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

START = 1_583_020_800_000_000_000
ROWS = 1000
STEP = 20_000_000


def frame():
    times = pa.array([START + i * STEP for i in range(ROWS)], pa.timestamp("ns", "UTC"))
    v = [None if i % 7 == 0 else i / 4 for i in range(ROWS)]
    n = [i - 500 for i in range(ROWS)]
    d = [decimal.Decimal(i) / 100 for i in range(ROWS)]
    return pa.table({
        "time": times,
        "v": pa.array(v, pa.float64()),
        "n": pa.array(n, pa.int16()),
        "d": pa.array(d, pa.decimal128(12, 2)),
        "state": pa.array(["ok"] * ROWS),
    })


def write(folder):
    table = frame()
    for codec in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]:
        pq.write_table(table, f"{folder}/pyarrow-{codec}.parquet", compression=codec)
    for codec in ["uncompressed", "lz4", "zstd"]:
        pf.write_feather(table, f"{folder}/pyarrow-{codec}.feather", compression=codec, chunksize=300)
    with ipc.new_stream(f"{folder}/pyarrow.arrows", table.schema) as out:
        out.write_table(table, max_chunksize=300)
    pc.write_csv(table, f"{folder}/pyarrow.csv")
    polars = pl.from_arrow(table)
    polars.write_parquet(f"{folder}/polars.parquet", row_group_size=300)
    polars.write_ipc(f"{folder}/polars.arrow", compression="lz4")
    polars.write_ipc_stream(f"{folder}/polars.arrows", compression="zstd")
    polars.write_csv(f"{folder}/polars.csv")
    data = table.to_pandas()
    data.to_parquet(f"{folder}/pandas.parquet")
    data.to_feather(f"{folder}/pandas.feather")
    data.to_csv(f"{folder}/pandas.csv", index=False)
    data["d"] = data["d"].astype(float)
    data.to_csv(f"{folder}/pandas.csv.gz", index=False, sep=";", decimal=",")
    db = duckdb.connect()
    db.execute("set timezone = 'UTC'")
    db.register("t", table)
    db.execute(f"copy t to '{folder}/duckdb.parquet' (format parquet, row_group_size 2048)")
    db.execute(f"copy t to '{folder}/duckdb.csv' (header)")


def read(files):
    for file in files:
        found = {}
        if file.endswith(".parquet"):
            found["duckdb"] = duckdb.sql(f"select count(a), avg(a), count(b) from '{file}'").fetchall()[0]
            t = pl.read_parquet(file)
            found["polars"] = (t["a"].count(), t["a"].mean(), t["b"].count())
            p = pd.read_parquet(file)
        else:
            t = pl.read_ipc_stream(file)
            found["polars"] = (t["a"].count(), t["a"].mean(), t["b"].count())
            p = ipc.open_stream(file).read_all().to_pandas()
        found["pandas"] = (int(p["a"].count()), float(p["a"].mean()), int(p["b"].count()))
        print(json.dumps({"file": file, **found}))


if sys.argv[1] == "write":
    write(sys.argv[2])
else:
    read(sys.argv[2:])
