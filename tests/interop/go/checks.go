package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

func checkInfo(c client, _ string) {
	info := c.one("Info", object{})
	want := map[protoreflect.FullName]float64{v4: 4, v5: 5}[c.service.FullName()]
	assert(info["majorVersion"] == want, "%v", info)
	members := info["mash"].(object)["members"].([]any)
	endpoint := members[0].(object)["grpcEndpoints"]
	assert(len(members) == 1 && endpoint == c.conn.Target(), "%v", members)
}

func checkInsertAndRead(c client, prefix string) {
	uuid := c.create(prefix + "/read")
	got := c.all("RawValues", "values", between(uuid))
	assert(len(got) == points, "%d points", len(got))
	expect(got[7], object{"time": fmt.Sprint(start + 7*second), "value": 7.0})
	nearest := c.one("Nearest", object{"uuid": uuid, "time": fmt.Sprint(start + 1), "backward": true})
	point, _ := nearest["value"].(object)
	assert(point["time"] == fmt.Sprint(start) && nearest["versionMajor"] == "11", "%v", nearest)
	compressed := object{"uuid": uuid, "values": values(points, 10_000)}
	c.one("Insert", compressed, grpc.UseCompressor(gzip.Name))
	c.one("Flush", object{"uuid": uuid})
	got = c.all("RawValues", "values", object{
		"uuid": uuid, "start": fmt.Sprint(start), "end": fmt.Sprint(start + 20_000*second),
	})
	assert(len(got) == 10_000, "%d points", len(got))
	ranges := c.all("Changes", "ranges", object{"uuid": uuid, "fromMajor": "11", "resolution": 30})
	assert(len(ranges) > 0, "no changes")
}

func checkWindows(c client, prefix string) {
	uuid := c.create(prefix + "/windows")
	request := between(uuid)
	request["width"] = fmt.Sprint(10 * second)
	windows := c.all("Windows", "values", request)
	assert(len(windows) == points/10, "%d windows", len(windows))
	first := windows[0].(object)
	assert(first["mean"] == 4.5 && first["count"] == "10" && first["max"] == 9.0, "%v", first)
	_, hasStddev := first["stddev"]
	assert(hasStddev == c.is(v5), "%v", first)
	request = between(uuid)
	request["pointWidth"] = 33
	count := 0
	for _, window := range c.all("AlignedWindows", "values", request) {
		var n int
		_, err := fmt.Sscan(window.(object)["count"].(string), &n)
		check(err)
		count += n
	}
	assert(count >= points-10, "%d points", count)
}

func checkMetadata(c client, prefix string) {
	uuid := c.create(prefix + "/meta")
	change := object{"uuid": uuid, "expectedPropertyVersion": "1", "changes": c.optionalPairs("owner", "you")}
	list, version := object{"prefix": prefix + "/meta"}, "propertyVersion"
	if c.is(v4) {
		change = object{"uuid": uuid, "expectedAnnotationVersion": "1", "annotations": c.optionalPairs("owner", "you")}
		list["limit"], list["startWith"], version = "10", prefix+"/meta", "annotationVersion"
	}
	c.one("SetStreamAnnotations", change)
	info := c.one("StreamInfo", object{"uuid": uuid})
	descriptor := info["descriptor"].(object)
	assert(descriptor["collection"] == prefix+"/meta", "%v", descriptor)
	assert(descriptor[version] == "2", "%v", descriptor)
	names := c.all("ListCollections", "collections", list)
	expect(names, []any{prefix + "/meta"})
	found := c.all("LookupStreams", "results", object{
		"collection": prefix + "/me", "isCollectionPrefix": true, "tags": c.optionalPairs("name", "x"),
	})
	assert(len(found) == 1, "%v", found)
}

func checkDeleteAndObliterate(c client, prefix string) {
	uuid := c.create(prefix + "/gone")
	c.one("Delete", object{
		"uuid": uuid, "start": fmt.Sprint(start), "end": fmt.Sprint(start + 10*second),
	})
	assert(len(c.all("RawValues", "values", between(uuid))) == points-10, "not deleted")
	c.one("Obliterate", object{"uuid": uuid})
	c.fails("RawValues", between(uuid), 404)
}

func checkErrors(c client, prefix string) {
	uuid := c.create(prefix + "/errors")
	c.fails("RawValues", between(newUUID()), 404)
	backwards := object{"uuid": uuid, "start": "10", "end": "1"}
	c.fails("RawValues", backwards, 413)
	c.fails("FaultInject", object{}, 424)
	c.fails("Create", object{"uuid": uuid, "collection": prefix, "tags": c.pairs("name", "y")}, 429)
	err := c.conn.Invoke(context.Background(), "/v5api.BTrDB/Nothing",
		dynamicpb.NewMessage(c.service.Methods().ByName("Info").Input()),
		dynamicpb.NewMessage(c.service.Methods().ByName("Info").Output()))
	assert(status.Code(err) == codes.Unimplemented, "%v", err)
}

func checkCancel(c client, prefix string) {
	uuid := c.create(prefix + "/cancel")
	for range 50 {
		ctx, cancel := context.WithCancel(context.Background())
		stream, method, err := c.open(ctx, "RawValues", between(uuid))
		check(err)
		check(stream.RecvMsg(dynamicpb.NewMessage(method.Output())))
		cancel()
	}
	assert(len(c.all("RawValues", "values", between(uuid))) == points, "not all is there")
}

func checkHealth(c client, _ string) {
	health := grpc_health_v1.NewHealthClient(c.conn)
	name := string(c.service.FullName())
	answer, err := health.Check(context.Background(), &grpc_health_v1.HealthCheckRequest{Service: name})
	check(err)
	assert(answer.Status == grpc_health_v1.HealthCheckResponse_SERVING, "%v", answer)
	watch, err := health.Watch(context.Background(), &grpc_health_v1.HealthCheckRequest{})
	check(err)
	answer, err = watch.Recv()
	check(err)
	assert(answer.Status == grpc_health_v1.HealthCheckResponse_SERVING, "%v", answer)
}

func checkSQL(c client, prefix string) {
	if c.is(v4) {
		return
	}
	c.create(prefix + "/sql")
	rows := c.all("SQLQuery", "SQLQueryRow", object{
		"query": "select collection from streams where collection = $1", "params": []string{prefix + "/sql"},
	})
	assert(len(rows) == 1, "%v", rows)
	row, err := base64.StdEncoding.DecodeString(rows[0].(string))
	check(err)
	assert(strings.Contains(string(row), prefix+"/sql"), "%s", row)
}
