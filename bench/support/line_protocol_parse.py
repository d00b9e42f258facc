"""line-protocol-parser (C) parsing the lines of a file: python line_protocol_parse.py FILE.

Prints "ready", then one line for every line of its standard input, when all lines are parsed."""

import sys

from line_protocol_parser import parse_line

lines = open(sys.argv[1]).read().splitlines()
print("ready", flush=True)
for line in sys.stdin:
    for text in lines:
        parse_line(text)
    print("done", flush=True)
