"""Alignment with pandas and polars: does the job that a line of stdin names, and answers with a line."""

import sys

import numpy as np
import pandas as pd
import polars as pl

# The same two streams as in align_bench.ts: 60 points a second, one of them late by up to 0.4 ms.
n, rate = int(sys.argv[1]), int(sys.argv[2])
start = 1_700_000_000_000_000_000
at = start + (np.arange(n, dtype=np.int64) * 1_000_000_000) // 60
late = (np.arange(n, dtype=np.int64) * 7919) % 400_000
rows = start + (np.arange(n * rate // 60, dtype=np.int64) * 1_000_000_000) // rate
times = [at, at + late]
values = [np.arange(n) % 1000 * 0.25, np.arange(n) % 777 * 0.5]

pandas_rows = pd.DataFrame({"time": rows})
pandas_streams = [pd.DataFrame({"time": t, f"v{i}": v}) for i, (t, v) in enumerate(zip(times, values))]
polars_rows = pl.DataFrame({"time": rows}).set_sorted("time")
polars_streams = [
    pl.DataFrame({"time": t, f"v{i}": v}).set_sorted("time") for i, (t, v) in enumerate(zip(times, values))
]
TOLERANCE = 500_000


def with_pandas():
    out = pandas_rows
    for stream in pandas_streams:
        out = pd.merge_asof(out, stream, on="time", direction="nearest", tolerance=TOLERANCE)
    return out


def with_polars():
    out = polars_rows
    for stream in polars_streams:
        out = out.join_asof(stream, on="time", strategy="nearest", tolerance=TOLERANCE)
    return out


def with_numpy():
    return [np.interp(rows, t, v) for t, v in zip(times, values)]


jobs = {"pandas": with_pandas, "polars": with_polars, "numpy": with_numpy}

print("ready", flush=True)
for line in sys.stdin:
    jobs[line.strip()]()
    print("done", flush=True)
