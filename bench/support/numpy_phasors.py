"""Phasors with NumPy: does the job that a line of stdin names, and answers with a line."""

import sys

import numpy as np

n = int(sys.argv[1])
random = np.random.default_rng(1)
m, a, v, w = (random.random(n) * 7000 for _ in range(4))
a, w = a / 7000 * 6 - 3, w / 7000 * 6 - 3
x, y = m * np.cos(a), m * np.sin(a)
b, c = a - 2.1, a + 2.1
turn = np.exp(2j * np.pi / 3)


def sequences():
    phases = [m * np.exp(1j * angle) for angle in (a, b, c)]
    zero = (phases[0] + phases[1] + phases[2]) / 3
    positive = (phases[0] + turn * phases[1] + turn * turn * phases[2]) / 3
    negative = (phases[0] + turn * turn * phases[1] + turn * phases[2]) / 3
    return [(np.abs(one), np.angle(one)) for one in (zero, positive, negative)]


def power():
    apparent = m * v
    active = apparent * np.cos(a - w)
    return active, apparent * np.sin(a - w), apparent, active / apparent


jobs = {
    "rectangular": lambda: (m * np.cos(a), m * np.sin(a)),
    "polar": lambda: (np.hypot(x, y), np.arctan2(y, x)),
    "power": power,
    "sequences": sequences,
}

print("ready", flush=True)
for line in sys.stdin:
    jobs[line.strip()]()
    print("done", flush=True)
