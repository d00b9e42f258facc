// What Go programs do, done against a server with Go's own gRPC library, with messages made from the
// protocol files at run time: nothing here has been adapted to the server.
//
//	go run . HOST:PORT PROTO_FOLDER
//	go run . BOOTSTRAP,BOOTSTRAP… PROTO_FOLDER driver
//
// Prints one "ok SERVICE NAME" a check; the first check that fails ends the run. With "driver" the calls
// are those that BTrDB's own Go driver makes, see [driver].
package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/bufbuild/protocompile"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	second = int64(1_000_000_000)
	start  = 1_500_000_000 * second
	points = 1000
	v4     = "grpcinterface.BTrDB"
	v5     = "v5api.BTrDB"
)

// checks are made in this order, on each service, with a collection of their own.
var checks = []struct {
	name string
	run  func(c client, prefix string)
}{
	{"info", checkInfo},
	{"insert and read", checkInsertAndRead},
	{"windows", checkWindows},
	{"metadata", checkMetadata},
	{"delete and obliterate", checkDeleteAndObliterate},
	{"errors", checkErrors},
	{"cancel", checkCancel},
	{"health", checkHealth},
	{"sql", checkSQL},
}

func main() {
	address, folder := os.Args[1], os.Args[2]
	compiler := protocompile.Compiler{
		Resolver: &protocompile.SourceResolver{ImportPaths: []string{folder}},
	}
	files, err := compiler.Compile(context.Background(), "btrdb_v4.proto", "btrdb_v5.proto")
	check(err)
	if len(os.Args) > 3 && os.Args[3] == "driver" {
		runDriver(files[1].Services().Get(0), strings.Split(address, ","))
		return
	}
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second}))
	check(err)
	defer conn.Close()
	for i, name := range []protoreflect.Name{v4, v5} {
		c := client{conn, files[i].Services().Get(0)}
		assert(c.is(protoreflect.FullName(name)), "%s", c.service.FullName())
		for _, item := range checks {
			item.run(c, "go/"+hex.EncodeToString(random(8)))
			fmt.Println("ok", name, item.name)
		}
	}
}

// values are points from number from to number to, one a second, each with its number as value.
func values(from int, to int) []object {
	var list []object
	for i := from; i < to; i++ {
		list = append(list, object{"time": fmt.Sprint(start + int64(i)*second), "value": i})
	}
	return list
}

// between is a request for the points that create makes.
func between(uuid string) object {
	return object{"uuid": uuid, "start": fmt.Sprint(start), "end": fmt.Sprint(start + points*second)}
}

func newUUID() string {
	return base64.StdEncoding.EncodeToString(random(16))
}

func random(n int) []byte {
	bytes := make([]byte, n)
	rand.Read(bytes)
	return bytes
}

func expect(got any, want any) {
	assert(reflect.DeepEqual(got, want), "%v, expected %v", got, want)
}

func check(err error) {
	assert(err == nil, "%v", err)
}

func assert(holds bool, format string, args ...any) {
	if !holds {
		panic(fmt.Sprintf(format, args...))
	}
}
