"""The official Python client at work: does what each line of its standard input names.

    python python_client.py HOST:PORT UUID POINTS CALLS

Prints "ready", then one line for every job that is done.
"""

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

warnings.simplefilter("ignore")

import btrdb  # noqa: E402

address, uuid, points, calls = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
START = 1_704_067_200_000_000_000
STEP = 8_333_333
stream = btrdb.connect(address).stream_from_uuid(uuid)
pairs = [(START + i * STEP, i / 8) for i in range(points)]
pool = ThreadPoolExecutor()


def raw():
    got = stream.values(START, START + points * STEP)
    assert len(got) == points, len(got)


def insert():
    stream.insert(pairs)


def nearest():
    list(pool.map(lambda i: stream.nearest(START + i, 0), range(calls)))


def nearest_in_turn():
    for i in range(200):
        stream.nearest(START + i, 0)


JOBS = {"nearest-in-turn": nearest_in_turn, "raw": raw, "insert": insert, "nearest": nearest}
print("ready", flush=True)
for line in sys.stdin:
    JOBS[line.strip()]()
    print("done", flush=True)
