"""Reads data by URL with DuckDB, Polars, pandas and pyarrow.

usage: http_data.py STEP BASE [KEY]   prints one line of JSON
"""

import glob
import json
import os
import sys
import urllib.request

STEP, BASE, KEY = (sys.argv + [""])[1:4]
FILE = f"{BASE}/api/v1/data.parquet?stream=pmu/s7/a&stream=pmu/s7/b"
START = 1_767_225_600_000_000_000
END = "2026-01-01 00:10:00"


def request(path):
    headers = {"authorization": f"bearer {KEY}"} if KEY else {}
    return urllib.request.urlopen(urllib.request.Request(BASE + path, headers=headers))


def duckdb_with_http():
    import duckdb
    import duckdb_ext

    folder = list(duckdb_ext.__path__)[0]
    [extension] = glob.glob(f"{folder}/extensions/*/*/httpfs.duckdb_extension")
    db = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    db.execute(f"LOAD '{extension}'")
    if KEY:
        db.execute(f"CREATE SECRET (TYPE http, BEARER_TOKEN '{KEY}')")
    return db


def duckdb_all():
    db = duckdb_with_http()
    return db.execute(
        f"""SELECT count(*), sum("pmu/s7/a"), sum("pmu/s7/b"), max(epoch_ns(time))::varchar
            FROM read_parquet('{FILE}&time=naive')"""
    ).fetchone()


def duckdb_filter():
    db = duckdb_with_http()
    return db.execute(
        f"""SELECT count(*), sum("pmu/s7/a") FROM read_parquet('{FILE}&time=naive')
            WHERE time < TIMESTAMP_NS '{END}'"""
    ).fetchone()


def polars_all():
    import polars as pl

    frame = pl.scan_parquet(FILE).collect()
    times = frame["time"]
    return [frame.height, frame["pmu/s7/a"].sum(), str(times.dtype), str(times.dt.epoch("ns").max())]


def polars_filter():
    import polars as pl

    end = pl.lit("2026-01-01T00:10:00").str.to_datetime(time_unit="ns", time_zone="UTC")
    frame = pl.scan_parquet(FILE).filter(pl.col("time") < end).select(pl.col("pmu/s7/a"))
    got = frame.collect()
    return [got.height, got["pmu/s7/a"].sum()]


def pandas_all():
    import pandas as pd

    frame = pd.read_parquet(FILE)
    text = pd.read_csv(f"{BASE}/api/v1/data.csv?stream=pmu/s7/a&end=%2B10min")
    lines = pd.read_json(
        f"{BASE}/api/v1/data.ndjson?stream=pmu/s7/a&end=%2B10min", lines=True, precise_float=True
    )
    times = frame["time"]
    return [
        len(frame),
        frame["pmu/s7/a"].sum(),
        str(times.dtype),
        str(times.max().value),
        str(text["Timestamp (ns)"].max()),
        text["pmu/s7/a"].sum(),
        len(lines),
    ]


def pyarrow_stream():
    import pyarrow.compute as pc
    import pyarrow.ipc as ipc

    with request("/api/v1/data.arrow?stream=pmu/s7/a&stream=pmu/s7/b") as body:
        table = ipc.open_stream(body).read_all()
    time = table["time"]
    return [
        table.num_rows,
        pc.sum(table["pmu/s7/a"]).as_py(),
        str(time.type),
        str(pc.max(time.cast("int64")).as_py()),
    ]


print(json.dumps(globals()[STEP]()))
