"""pyc37 decoding the frames of a file: python pyc37_decode.py FILE. The first frame is a CFG-2.

Prints "ready", then one line for every line of its standard input, when all frames are decoded."""

import collections.abc  # noqa: F401 -- pyc37 uses it without importing it
import sys

from pyc37.frame import CommonFrame

data = open(sys.argv[1], "rb").read()
frames = []
at = 0
while at < len(data):
    size = int.from_bytes(data[at + 2:at + 4], "big")
    frames.append(data[at:at + size])
    at += size
cfg = CommonFrame.convert2frame(frames[0])
print("ready", flush=True)
for line in sys.stdin:
    for frame in frames[1:]:
        CommonFrame.convert2frame(frame, cfg)
    print("done", flush=True)
