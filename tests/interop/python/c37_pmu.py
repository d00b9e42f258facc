"""A PMU made of pyc37: python c37_pmu.py PORT FORMAT RATE. Ends with its standard input."""

import logging
import os
import sys
import threading
import time

from pyc37.frame import ConfigFrame2, DataFrame
from pyc37.pmu import Pmu

PORT, FORMAT, RATE = (int(word) for word in sys.argv[1:4])
NAMES = ["VA", "VB", "I1", "COUNT"] + [f"BREAKER {i}" for i in range(16)]


def configuration():
    return ConfigFrame2(
        7, 1000000, 1, "Station A", 7, FORMAT, 3, 1, 1, NAMES,
        [(915527, "v"), (915527, "v"), (45776, "i")], [(1, "pow")], [(0x0000, 0xFFFF)],
        60, 22, RATE,
    )


def main():
    logging.disable(logging.CRITICAL)
    pmu = Pmu(7, RATE, PORT, "127.0.0.1")
    cfg = configuration()
    pmu.set_configuration(configuration())
    pmu.cfg2 = cfg
    pmu.set_id(7)
    pmu.run()
    print("ready", flush=True)
    threading.Thread(target=lambda: (os.read(0, 1), stop(pmu)), daemon=True).start()
    count = 0
    is_float = FORMAT & 2
    while True:
        if pmu.clients:
            phasors = [(14635.0, 0.25), (7318.0, -2.0), (1092.0, 1.5)] if is_float else [
                (14635, 2500), (7318, -20000), (1092, 15000)
            ]
            # A frequency that is a deviation, as pyc37's own examples send it.
            frequency = 0.025 if FORMAT & 8 else 25
            pmu.send(DataFrame(
                7, ("ok", True, "timestamp", False, False, False, 0, "<10", 0), phasors, frequency, 0,
                [count % 30000], [0x3C12], cfg,
            ))
            count += 1
        time.sleep(1 / RATE)


def stop(pmu):
    for client in pmu.clients:
        client.kill()
    os._exit(0)


main()
