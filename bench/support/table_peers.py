"""What users would pick instead, on two threads: DuckDB, chdb (ClickHouse in process) and polars.

    python table_peers.py PEER FOLDER

FOLDER has the columns as plain little-endian numbers. Each line of stdin is a job, each answer a line.
The tables: `pmu` with a time and eight signals, `late` with one signal, both written in order.
"""

import os
import sys

os.environ["POLARS_MAX_THREADS"] = "2"
peer, folder = sys.argv[1], sys.argv[2]
import numpy as np

SIGNALS = ["l1mag", "l1ang", "l2mag", "l2ang", "l3mag", "l3ang", "freq", "rocof"]


def numbers(name, kind):
    return np.fromfile(f"{folder}/{name}", dtype=kind)


def pmu_columns():
    return {"time": numbers("time", "<i8"), **{name: numbers(name, "<f8") for name in SIGNALS}}


def late_columns(name):
    return {"time": numbers(f"{name}.time", "<i8"), "value": numbers(f"{name}.value", "<f8")}


class DuckDb:
    def __init__(self):
        import duckdb

        self.duckdb = duckdb
        self.db = self.late = None

    def open(self, name, old):
        if old is not None:
            old.close()
        path = f"{folder}/{name}"
        if os.path.exists(path):
            os.remove(path)
        return self.duckdb.connect(path, config={"threads": 2})

    def load(self, data):
        self.db = self.open("pmu.duckdb", self.db)
        self.db.execute("CREATE TABLE pmu AS SELECT * FROM data")
        self.db.execute("CHECKPOINT")

    def read(self, order=""):
        return self.db.execute(f"SELECT time, l1mag FROM pmu {order}").fetchnumpy()

    def read_ordered(self):
        return self.read("ORDER BY time")

    def windows(self, start, width, count):
        return self.db.execute(
            f"SELECT (time - {start}) // {width} AS w, min(l1mag), avg(l1mag), max(l1mag), count(*) "
            f"FROM pmu WHERE time >= {start} AND time < {start + width * count} GROUP BY w ORDER BY w"
        ).fetchnumpy()

    def late_base(self, data):
        self.late = self.open("late.duckdb", self.late)
        self.late.execute("CREATE TABLE late AS SELECT * FROM data")
        self.late.execute("CHECKPOINT")

    def late_insert(self, data):
        self.late.execute("INSERT INTO late SELECT * FROM data")

    def late_read(self):
        return self.late.execute("SELECT time, value FROM late ORDER BY time").fetchnumpy()

    def size(self):
        return os.path.getsize(f"{folder}/pmu.duckdb")

    def late_size(self):
        self.late.execute("CHECKPOINT")
        return os.path.getsize(f"{folder}/late.duckdb")


class ChDb:
    def __init__(self):
        from chdb import session
        import pandas
        import pyarrow

        self.table = pyarrow.table
        self.session = session.Session(f"{folder}/chdb")
        self.session.query("CREATE DATABASE IF NOT EXISTS d ENGINE = Atomic")

    def create(self, name, values):
        columns = ", ".join(f"{value} Float64 CODEC(Gorilla, ZSTD(1))" for value in values)
        self.session.query(f"DROP TABLE IF EXISTS d.{name} SYNC")
        self.session.query(
            f"CREATE TABLE d.{name} (time Int64 CODEC(DoubleDelta, ZSTD(1)), {columns}) "
            "ENGINE = MergeTree ORDER BY time SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"
        )

    def insert(self, name, columns):
        data = self.table(columns)
        self.session.query(
            f"INSERT INTO d.{name} SELECT * FROM Python(data) SETTINGS max_threads = 2, max_insert_threads = 2"
        )

    def select(self, query):
        frame = self.session.query(f"{query} SETTINGS max_threads = 2", "DataFrame")
        return {name: frame[name].to_numpy() for name in frame}

    def load(self, data):
        self.create("pmu", SIGNALS)
        self.insert("pmu", data)

    def read(self):
        # Without an order rows come as the threads find them.
        return self.select("SELECT time, l1mag FROM d.pmu ORDER BY time")

    def windows(self, start, width, count):
        return self.select(
            f"SELECT intDiv(time - {start}, {width}) AS w, min(l1mag), avg(l1mag), max(l1mag), count(*) "
            f"FROM d.pmu WHERE time >= {start} AND time < {start + width * count} GROUP BY w ORDER BY w"
        )

    def late_base(self, data):
        self.create("late", ["value"])
        self.insert("late", data)

    def late_insert(self, data):
        self.insert("late", data)

    def late_read(self):
        return self.select("SELECT time, value FROM d.late ORDER BY time")

    def bytes_of(self, name):
        self.session.query(f"OPTIMIZE TABLE d.{name} FINAL")
        answer = self.session.query(
            f"SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'd' AND table = '{name}'"
        )
        return int(str(answer).strip())

    def size(self):
        return self.bytes_of("pmu")

    def late_size(self):
        return self.bytes_of("late")


class Polars:
    def __init__(self):
        import polars

        self.pl = polars
        self.path = f"{folder}/pmu.parquet"

    def load(self, data):
        with open(self.path, "wb") as file:
            self.pl.DataFrame(data).write_parquet(file)
            file.flush()
            os.fsync(file.fileno())

    def read(self):
        frame = self.pl.read_parquet(self.path, columns=["time", "l1mag"])
        return {name: frame[name].to_numpy() for name in frame.columns}

    def windows(self, start, width, count):
        pl, value = self.pl, self.pl.col("l1mag")
        frame = (
            pl.scan_parquet(self.path)
            .filter((pl.col("time") >= start) & (pl.col("time") < start + width * count))
            .group_by(((pl.col("time") - start) // width).alias("w"))
            .agg(value.min().alias("min"), value.mean().alias("mean"), value.max().alias("max"), pl.len())
            .sort("w")
            .collect()
        )
        return {name: frame[name].to_numpy() for name in frame.columns}

    def size(self):
        return os.path.getsize(self.path)


table = {"duckdb": DuckDb, "chdb": ChDb, "polars": Polars}[peer]()
pmu = pmu_columns()
arrived = {}


def prepare(name):
    arrived[name] = late_columns(name)


def late(name, inserts):
    columns = arrived[name]
    total = len(columns["time"])
    step = total // int(inserts)
    for at in range(0, total, step):
        table.late_insert({key: column[at : at + step] for key, column in columns.items()})


def write(answer):
    for i, column in enumerate(answer.values()):
        kind = "<f8" if column.dtype.kind == "f" else "<i8"
        np.asarray(column).astype(kind).tofile(f"{folder}/{peer}.{i}")


jobs = {
    "load": lambda: table.load(pmu),
    "read": lambda: table.read(),
    "read-ordered": lambda: table.read_ordered(),
    "windows": lambda *grid: table.windows(*map(int, grid)),
    "late-base": lambda: table.late_base(late_columns("day")),
    "prepare": prepare,
    "late": late,
    "late-read": lambda: table.late_read(),
    "size": lambda: table.size(),
    "late-size": lambda: table.late_size(),
    "answer": lambda job, *args: write(jobs[job](*args)),
}

print("ready", flush=True)
for line in sys.stdin:
    name, *args = line.split()
    answer = jobs[name](*args)
    print(answer if isinstance(answer, int) else "done", flush=True)
