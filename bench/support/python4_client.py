"""The official Python client of protocol v4 at work, as `python_client.py` is for v5.

    python python4_client.py HOST:PORT UUID POINTS CALLS

Its messages are compiled anew from the definition that comes with it, because the ones it has are
refused by the native protobuf library of today.
"""

import importlib
import os
import subprocess
import sys
import tempfile
import uuid as uuids
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

folder = find_spec("btrdb4").submodule_search_locations[0]
with tempfile.TemporaryDirectory() as made:
    protoc = [sys.executable, "-m", "grpc_tools.protoc", f"--python_out={made}"]
    definition = os.path.join(folder, "grpcinterface")
    subprocess.run([*protoc, f"-I{definition}", "btrdb.proto"], check=True)
    sys.path.insert(0, made)
    sys.modules["btrdb4.btrdb_pb2"] = importlib.import_module("btrdb_pb2")
    sys.path.remove(made)

import btrdb4  # noqa: E402
from google.protobuf.internal import api_implementation  # noqa: E402

assert api_implementation.Type() != "python", "protobuf is not native"
address, uuid, points, calls = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
START = 1_704_067_200_000_000_000
STEP = 8_333_333
stream = btrdb4.connect(address).streamFromUUID(uuids.UUID(uuid))
pairs = [(START + i * STEP, i / 8) for i in range(points)]
pool = ThreadPoolExecutor()


def raw():
    got = list(stream.rawValues(START, START + points * STEP))
    assert len(got) == points, len(got)


def insert():
    stream.insert(pairs)


def nearest():
    list(pool.map(lambda i: stream.nearest(START + i, 0, False), range(calls)))


def nearest_in_turn():
    for i in range(200):
        stream.nearest(START + i, 0, False)


JOBS = {"nearest-in-turn": nearest_in_turn, "raw": raw, "insert": insert, "nearest": nearest}
print("ready", flush=True)
for line in sys.stdin:
    JOBS[line.strip()]()
    print("done", flush=True)
