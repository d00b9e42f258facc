"""Writes the same points with a client of InfluxDB: influx_clients.py CLIENT PORT TIME."""

import sys

client, port, time = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
fields = {"v": 0.1, "n": 3, "ok": True, "s": 'x "y", =z'}
tags = {"host": "a b", "Site": "7,=é"}


def influxdb():
    from influxdb import InfluxDBClient

    with InfluxDBClient("127.0.0.1", port, "any", "secret", "grid", gzip=True) as db:
        db.create_database("grid")
        point = {"measurement": "cpu load", "tags": tags, "fields": fields, "time": time}
        assert db.write_points([point, {**point, "time": time + 1}], time_precision="n")
        bad = [point, {**point, "fields": {"n": 2**53 + 1}}]
        try:
            db.write_points(bad, time_precision="n")
        except Exception as error:
            print(error)


def influxdb_client():
    from influxdb_client import InfluxDBClient, Point
    from influxdb_client.client.write_api import SYNCHRONOUS
    from influxdb_client.rest import ApiException

    with InfluxDBClient(f"http://127.0.0.1:{port}", "secret", org="any", enable_gzip=True) as db:
        assert db.ping()
        assert db.health().status == "pass"
        api = db.write_api(write_options=SYNCHRONOUS)
        points = [{"measurement": "cpu load", "tags": tags, "fields": fields, "time": time + i} for i in (0, 1)]
        api.write("grid", record=points)
        try:
            api.write("grid", record=[points[0], Point("cpu load").field("n", 2**53 + 1)])
        except ApiException as error:
            print(error.status, error.body)


def influxdb3():
    from influxdb_client_3 import InfluxDBClient3, Point

    with InfluxDBClient3(host=f"http://127.0.0.1:{port}", token="secret", database="grid") as db:
        for i in (0, 1):
            point = Point("cpu load").time(time + i)
            for key, value in tags.items():
                point.tag(key, value)
            for key, value in fields.items():
                point.field(key, value)
            db.write(point)
        try:
            db.write(["cpu\\ load n=9007199254740993i", "cpu\\ load n="])
        except Exception as error:
            print(error)


{"influxdb": influxdb, "influxdb-client": influxdb_client, "influxdb3-python": influxdb3}[client]()
