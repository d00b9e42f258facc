package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// driverChecks are made in this order, with one driver.
var driverChecks = []struct {
	name string
	run  func(d *driver, prefix string)
}{
	{"hash", checkHash},
	{"mash", checkMash},
	{"calls", checkDriverCalls},
	{"errors", checkDriverErrors},
	{"wrong member", checkWrongMember},
	{"restart", checkRestart},
}

// runDriver connects by way of the bootstraps and makes the checks.
func runDriver(service protoreflect.ServiceDescriptor, bootstraps []string) {
	d, err := connectDriver(context.Background(), service, bootstraps)
	check(err)
	defer d.close()
	fmt.Println("ok driver connect")
	for _, item := range driverChecks {
		item.run(d, "driver/"+hex.EncodeToString(random(8)))
		fmt.Println("ok driver", item.name)
	}
}

func checkHash(_ *driver, _ string) {
	for text, want := range map[string]uint32{
		"00000000000000000000000000000000": 2416257816,
		"ffffffffffffffffffffffffffffffff": 2201085265,
		"a5fba24274c84e59ad89c1565ee3229c": 2823768592,
		"00112233445566778899aabbccddeeff": 246643139,
		"61":                               1485495528,
		"616263":                           2859854335,
	} {
		data, err := hex.DecodeString(text)
		check(err)
		assert(murmur3(data) == want, "%s: %d", text, murmur3(data))
	}
}

// checkMash finds a member for every stream, and all of them are reached at the address that was dialled.
func checkMash(d *driver, _ string) {
	assert(len(d.members) == 1, "%v", d.members)
	m := d.members[0]
	assert(m.start == 0 && m.end == 1<<32, "%v", m)
	assert(m.hash == murmur3([]byte("node1")), "%v", m)
	assert(len(m.addresses) == 1, "%v", m)
	assert(m.addresses[0] == d.bootstraps[len(d.bootstraps)-1], "%v", m)
	for range 1000 {
		_, err := d.memberFor(random(16))
		check(err)
	}
}

// must makes a call that succeeds.
func (d *driver) must(uuid []byte, rpc string, request object) []object {
	answers, err := d.call(context.Background(), uuid, rpc, request)
	check(err)
	return answers
}

// newStream makes a stream and fills it as the driver does, in batches.
func (d *driver) newStream(collection string, points int) []byte {
	uuid := random(16)
	text := base64.StdEncoding.EncodeToString(uuid)
	pairs := []object{{"key": "name", "val": object{"value": "x"}}}
	d.must(uuid, "Create", object{"uuid": text, "collection": collection, "tags": pairs})
	for from := 0; from < points; from += insertBatch {
		batch := values(from, min(points, from+insertBatch))
		d.must(uuid, "Insert", object{"uuid": text, "values": batch})
	}
	d.must(uuid, "Flush", object{"uuid": text})
	return uuid
}

func checkDriverCalls(d *driver, prefix string) {
	const n = insertBatch + 7
	var all sync.WaitGroup
	for i := range 4 {
		all.Add(1)
		go func() {
			defer all.Done()
			uuid := d.newStream(fmt.Sprintf("%s/%d", prefix, i), n)
			got := 0
			for _, answer := range d.must(uuid, "RawValues", object{
				"uuid":  base64.StdEncoding.EncodeToString(uuid),
				"start": fmt.Sprint(start), "end": fmt.Sprint(start + n*second),
			}) {
				part, _ := answer["values"].([]any)
				got += len(part)
			}
			assert(got == n, "%d points", got)
		}()
	}
	all.Wait()
	names := 0
	for _, answer := range d.must(nil, "ListCollections", object{"prefix": prefix}) {
		part, _ := answer["collections"].([]any)
		names += len(part)
	}
	assert(names == 4, "%d collections", names)
	assert(len(d.endpoints) == 1 && d.resyncs == 0, "%v", d)
}

// checkDriverErrors gets errors that are nobody's fault but the caller's at once.
func checkDriverErrors(d *driver, _ string) {
	uuid := random(16)
	_, err := d.call(context.Background(), uuid, "RawValues",
		between(base64.StdEncoding.EncodeToString(uuid)))
	assert(err != nil && strings.HasPrefix(err.Error(), "(404: "), "%v", err)
	assert(d.resyncs == 0, "%d resyncs", d.resyncs)
}

// checkWrongMember meets a server that answers 405 to one Nearest and 419 to the next.
func checkWrongMember(d *driver, prefix string) {
	uuid := d.newStream(prefix, points)
	answers := d.must(uuid, "Nearest", nearestTo(uuid))
	value := answers[0]["value"].(object)
	assert(value["time"] == fmt.Sprint(start), "%v", value)
	assert(d.resyncs == 2, "%d resyncs", d.resyncs)
}

// checkRestart goes on when the server went away and came back at its address.
func checkRestart(d *driver, prefix string) {
	uuid := d.newStream(prefix, points)
	before := d.resyncs
	fmt.Println("restart now")
	for d.resyncs == before {
		d.must(uuid, "Nearest", nearestTo(uuid))
	}
	d.must(uuid, "Nearest", nearestTo(uuid))
}

func nearestTo(uuid []byte) object {
	return object{"uuid": base64.StdEncoding.EncodeToString(uuid), "time": fmt.Sprint(start)}
}
