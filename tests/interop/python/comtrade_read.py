"""Reads records with the package `comtrade` and prints what it finds, as JSON."""

import json
import math
import sys
import warnings

import comtrade

warnings.filterwarnings("ignore")
found = []
for path in sys.argv[1:]:
    record = comtrade.Comtrade()
    record.load(path)
    found.append({
        "station": record.station_name,
        "ids": list(record.analog_channel_ids),
        "samples": record.total_samples,
        "seconds": [float(t) for t in record.time],
        "analog": [[None if math.isnan(v) else float(v) for v in channel] for channel in record.analog],
        "status": [[int(v) for v in channel] for channel in record.status],
    })
print(json.dumps(found))
