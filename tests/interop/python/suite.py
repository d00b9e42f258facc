"""What users of the Python package btrdb do, done against a server, with the package unchanged.

    python suite.py HOST:PORT [API_KEY] [--without CHECK,…]

Prints one "ok NAME" a check; the first check that fails ends the run with its traceback.
"""

import csv
import io
import math
import sys
import uuid
import warnings

warnings.simplefilter("ignore")

import btrdb  # noqa: E402
from btrdb import exceptions  # noqa: E402
from btrdb.utils.general import pointwidth  # noqa: E402

SECOND = 1_000_000_000
START = 1_500_000_000 * SECOND
N = 1000
NEW = hasattr(btrdb.stream.Stream, "arrow_values")
WITHOUT = sys.argv[4].split(",") if len(sys.argv) > 4 else []
PREFIX = f"interop/{uuid.uuid4().hex}"


def points(offset=0.0, n=N):
    return [(START + i * SECOND, float(i) + offset) for i in range(n)]


def raises(kind, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except kind as error:
        return error
    raise AssertionError(f"{call} raised nothing, expected {kind}")


def make(db, name, collection="main", **annotations):
    return db.create(
        uuid.uuid4(), f"{PREFIX}/{collection}", tags={"name": name, "unit": "volts"}, annotations=annotations
    )


def check_info(db):
    info = db.info()
    assert info["majorVersion"] == 5, info
    if NEW:
        assert info["minorVersion"] >= 30, info


def check_create_and_metadata(db):
    stream = make(db, "meta", owner="me")
    assert stream.exists()
    assert not db.stream_from_uuid(uuid.uuid4()).exists()
    fresh = db.stream_from_uuid(str(stream.uuid))
    assert fresh.collection == f"{PREFIX}/main"
    assert fresh.name == "meta" and fresh.unit == "volts"
    assert fresh.tags() == {"name": "meta", "unit": "volts"}
    assert fresh.annotations() == ({"owner": "me"}, 1)
    assert fresh.update(annotations={"owner": "you", "site": "north"}) == 2
    assert fresh.annotations(refresh=True) == ({"owner": "you", "site": "north"}, 2)
    assert fresh.update(annotations={"site": "south"}, replace=True) == 3
    assert fresh.annotations(refresh=True) == ({"site": "south"}, 3)
    assert fresh.update(tags={"name": "renamed", "unit": "amps"}, collection=f"{PREFIX}/moved") == 4
    assert fresh.tags(refresh=True) == {"name": "renamed", "unit": "amps"}
    assert fresh.collection == f"{PREFIX}/moved"


def check_insert_and_read(db):
    stream = make(db, "values")
    assert stream.version() == 10
    stream.insert(points())
    stream.flush()
    assert stream.version() == 11
    got = stream.values(START, START + N * SECOND)
    assert len(got) == N
    assert (got[7][0].time, got[7][0].value, got[7][1]) == (START + 7 * SECOND, 7.0, 11)
    assert stream.values(START + 5 * SECOND, START + 5 * SECOND + 1)[0][0].value == 5.0
    assert stream.count() == N
    assert stream.count(START, START + 10 * SECOND, precise=True) == 10
    assert stream.earliest()[0].time == START
    assert stream.latest()[0].value == float(N - 1)
    assert stream.nearest(START - 1, 0)[0].value == 0.0
    assert stream.nearest(START, 0, backward=True) is None
    assert stream.nearest(START + SECOND, 0, backward=True)[0].value == 0.0


def check_large_insert(db):
    stream = make(db, "large")
    n = 120_001
    stream.insert(points(n=n))
    stream.flush()
    got = stream.values(START, START + n * SECOND)
    assert len(got) == n
    assert all(p.time == START + i * SECOND and p.value == float(i) for i, (p, _) in enumerate(got))


def check_windows(db):
    stream = make(db, "windows")
    stream.insert(points())
    stream.flush()
    got = stream.windows(START, START + 100 * SECOND, 10 * SECOND)
    assert len(got) == 10
    first = got[0][0]
    assert (first.time, first.min, first.mean, first.max, first.count) == (START, 0.0, 4.5, 9.0, 10)
    # A proxy over v4 does not know it, and says so rather than 0.
    assert math.isnan(first.stddev) if WITHOUT else abs(first.stddev - 2.8722813232690143) < 1e-12
    empty = stream.windows(START + (N + 10) * SECOND, START + (N + 40) * SECOND, 10 * SECOND)
    assert [p.count for p, _ in empty] == [0, 0, 0]
    width = pointwidth(33)
    aligned = stream.aligned_windows(START, START + N * SECOND, pointwidth=width)
    assert sum(p.count for p, _ in aligned) >= N - 9
    assert all(p.time % (1 << 33) == 0 for p, _ in aligned)


def check_merge_policies(db):
    for policy, expected in (
        ("never", [1.0, 2.0]), ("equal", [1.0, 2.0]), ("retain", [1.0]), ("replace", [2.0])
    ):
        stream = make(db, f"policy_{policy}")
        stream.insert([(START, 1.0)], merge=policy)
        stream.insert([(START, 2.0)], merge=policy)
        got = [p.value for p, _ in stream.values(START, START + 1)]
        assert sorted(got) == expected, (policy, got)


def check_collections(db):
    for name in ("a", "a/b", "c"):
        make(db, "x", collection=f"list/{name}")
    got = db.list_collections(f"{PREFIX}/list")
    assert sorted(got) == sorted(f"{PREFIX}/list/{name}" for name in ("a", "a/b", "c")), got
    found = db.streams_in_collection(f"{PREFIX}/list")
    assert len(found) == 3
    exact = db.streams_in_collection(f"{PREFIX}/list/a", is_collection_prefix=False)
    assert len(exact) == 1, exact
    tagged = db.streams_in_collection(f"{PREFIX}/list", tags={"name": "x", "unit": None})
    assert len(tagged) == 3
    assert len(db.streams_in_collection(f"{PREFIX}/list", tags={"name": "y"})) == 0
    tags, annotations = db.collection_metadata(f"{PREFIX}/list")
    assert tags == {"name": 3, "unit": 3} and annotations == {}, (tags, annotations)
    by_path = db.streams(f"{PREFIX}/list/a/x")
    assert len(by_path) == 1


def check_streamset(db):
    one, two = make(db, "one", "set"), make(db, "two", "set")
    one.insert(points())
    two.insert(points(0.5)[::2])
    for stream in (one, two):
        stream.flush()
    streams = db.streams(one.uuid, two.uuid)
    streams = streams.filter(start=START, end=START + 20 * SECOND)
    assert [len(v) for v in streams.values()] == [20, 10]
    rows = list(streams.rows())
    assert len(rows) == 20 and rows[1][1] is None and rows[2][1].value == 2.5
    frame = streams.to_dataframe()
    assert len(frame) == 20 and len(frame.columns) == 2
    assert frame.iloc[:, 0].tolist() == [float(i) for i in range(20)]
    text = io.StringIO()
    streams.to_csv(text)
    table = list(csv.reader(io.StringIO(text.getvalue())))
    assert len(table) == 21, len(table)
    assert int(table[1][0]) == START and float(table[1][1]) == 0.0
    assert streams.latest()[0].time == START + 19 * SECOND
    assert streams.versions() == {one.uuid: 11, two.uuid: 11}
    series = db.streams(one.uuid, two.uuid).filter(start=START, end=START + N * SECOND)
    stats = series.aligned_windows(pointwidth(36)).values()
    assert len(stats) == 2 and all(p.count > 0 for column in stats for p in column)


def check_arrow(db):
    import pyarrow as pa

    stream = make(db, "arrow")
    times = pa.array([START + i * SECOND for i in range(N)], pa.timestamp("ns", tz="UTC"))
    values = pa.array([float(i) for i in range(N)], pa.float64())
    schema = pa.schema([
        pa.field("time", pa.timestamp("ns", tz="UTC"), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
    ])
    stream.arrow_insert(pa.Table.from_arrays([times, values], schema=schema))
    stream.flush()
    table = stream.arrow_values(START, START + N * SECOND)
    assert table.num_rows == N and table.column_names == ["time", "value"], table.schema
    assert table["time"].cast(pa.int64()).to_pylist()[3] == START + 3 * SECOND
    assert table["value"].to_pylist() == [float(i) for i in range(N)]
    narrow = pa.schema([
        pa.field("t", pa.timestamp("ns", tz="UTC"), nullable=False),
        pa.field("v", pa.float32(), nullable=False),
    ])
    cast = stream.arrow_values(START, START + 10 * SECOND, schema=narrow)
    assert cast.column_names == ["t", "v"] and cast.schema.field("v").type == pa.float32(), cast.schema
    windows = stream.arrow_windows(START, START + 100 * SECOND, 10 * SECOND)
    assert windows["count"].to_pylist() == [10] * 10
    assert windows["mean"].to_pylist()[0] == 4.5
    aligned = stream.arrow_aligned_windows(START, START + N * SECOND, pointwidth=pointwidth(33))
    assert aligned.num_rows > 100 and "stddev" in aligned.column_names
    assert stream.arrow_values(START - 100, START - 1).num_rows == 0


def check_arrow_streamset(db):
    one, two = make(db, "one", "arrows"), make(db, "two", "arrows")
    one.insert(points())
    two.insert([(t + 1000, v) for t, v in points(0.5)])
    for stream in (one, two):
        stream.flush()
    streams = db.streams(one.uuid, two.uuid).filter(start=START, end=START + 100 * SECOND)
    table = streams.arrow_values()
    assert table.num_rows == 200, table.num_rows
    frame = streams.arrow_to_dataframe()
    assert len(frame) == 200 and numbers(frame.iloc[:, 0]) == 100
    snapped = db.streams(one.uuid, two.uuid).filter(
        start=START, end=START + 100 * SECOND, sampling_frequency=1
    )
    joined = snapped.arrow_to_dataframe()
    assert len(joined) == 100, len(joined)
    assert [numbers(joined.iloc[:, column]) for column in range(2)] == [100, 100]
    windows = db.streams(one.uuid, two.uuid).filter(start=START, end=START + 100 * SECOND)
    assert windows.windows(10 * SECOND).arrow_to_dataframe().shape[0] == 10


def numbers(column):
    """How many values are there: a stream without a point in a row has NaN there."""
    return sum(value == value for value in column.to_numpy(dtype=float))


def check_sql(db):
    stream = make(db, "sql", owner="sql")
    rows = db.query("select uuid, collection, name, unit from streams where name = $1", ["sql"])
    mine = [row for row in rows if row["collection"] == f"{PREFIX}/main"]
    assert len(mine) == 1 and mine[0]["uuid"] == str(stream.uuid), rows
    assert mine[0]["unit"] == "volts"
    raises(exceptions.BTrDBError, db.query, "delete from streams")
    raises(exceptions.BTrDBError, db.query, "select 1; select 2")
    assert stream.exists()


def check_delete_and_obliterate(db):
    stream = make(db, "gone")
    stream.insert(points())
    stream.flush()
    stream.delete(START, START + 10 * SECOND)
    assert stream.count() == N - 10
    assert len(stream.values(START, START + N * SECOND, version=11)) == N
    stream.obliterate()
    assert not db.stream_from_uuid(stream.uuid).exists()
    error = raises(exceptions.BTrDBError, db.create, stream.uuid, f"{PREFIX}/main", {"name": "again"}, {})
    assert "used before" in str(error), error


def check_errors(db):
    stream = make(db, "errors")
    unknown = db.stream_from_uuid(uuid.uuid4())
    raises(exceptions.StreamNotFoundError, unknown.values, START, START + 1)
    raises(exceptions.StreamNotFoundError, unknown.insert, [(START, 1.0)])
    raises(exceptions.InvalidTimeRange, stream.values, START + 1, START)
    raises(exceptions.InvalidPointWidth, stream.windows, START, START + SECOND, 0)
    raises(exceptions.BadValue, stream.insert, [(START, float("nan"))])
    raises(exceptions.InvalidCollection, db.create, uuid.uuid4(), "", {"name": "x"}, {})
    raises(exceptions.InvalidTagKey, db.create, uuid.uuid4(), f"{PREFIX}/main", {"Bad Key": "x"}, {})
    raises(exceptions.BTrDBError, db.create, stream.uuid, f"{PREFIX}/other", {"name": "x"}, {})
    raises(exceptions.BTRDBServerError, stream.update, annotations={"a": "b"}) if not NEW else None


def connect(address, key):
    return btrdb.connect(address, apikey=key) if key else btrdb.connect(address)


def main():
    address, key = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    db = connect(address, key)
    print("version", btrdb.__version__, flush=True)
    for name, check in list(globals().items()):
        if not name.startswith("check_") or ("arrow" in name and not NEW):
            continue
        if name[len("check_"):] in WITHOUT:
            continue
        check(db)
        print("ok", name[len("check_"):], flush=True)


main()
