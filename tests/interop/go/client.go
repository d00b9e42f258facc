package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// object is a message as JSON has it: 64-bit integers are strings, bytes are base64.
type object = map[string]any

// client calls the methods of one service.
type client struct {
	conn    *grpc.ClientConn
	service protoreflect.ServiceDescriptor
}

// call makes a call and reads its answer to the end.
func (c client) call(rpc string, request object, options ...grpc.CallOption) ([]object, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	stream, method, err := c.open(ctx, rpc, request, options...)
	if err != nil {
		return nil, err
	}
	var answers []object
	for {
		message := dynamicpb.NewMessage(method.Output())
		if err := stream.RecvMsg(message); errors.Is(err, io.EOF) {
			return answers, nil
		} else if err != nil {
			return answers, err
		}
		answers = append(answers, decode(message))
	}
}

// info asks the server what it is.
func (c client) info(ctx context.Context) (object, error) {
	method := c.service.Methods().ByName("Info")
	answer := dynamicpb.NewMessage(method.Output())
	path := fmt.Sprintf("/%s/Info", c.service.FullName())
	if err := c.conn.Invoke(ctx, path, dynamicpb.NewMessage(method.Input()), answer); err != nil {
		return nil, err
	}
	return decode(answer), nil
}

// open starts a call.
func (c client) open(
	ctx context.Context, rpc string, request object, options ...grpc.CallOption,
) (grpc.ClientStream, protoreflect.MethodDescriptor, error) {
	method := c.service.Methods().ByName(protoreflect.Name(rpc))
	assert(method != nil, "no method %s", rpc)
	message := dynamicpb.NewMessage(method.Input())
	text, err := json.Marshal(request)
	check(err)
	check(protojson.Unmarshal(text, message))
	description := &grpc.StreamDesc{ServerStreams: true}
	path := fmt.Sprintf("/%s/%s", c.service.FullName(), rpc)
	stream, err := c.conn.NewStream(ctx, description, path, options...)
	if err != nil {
		return nil, nil, err
	}
	check(stream.SendMsg(message))
	return stream, method, stream.CloseSend()
}

// one makes a call that succeeds with one message.
func (c client) one(rpc string, request object, options ...grpc.CallOption) object {
	answers, err := c.call(rpc, request, options...)
	check(err)
	assert(len(answers) == 1, "%s: %d messages", rpc, len(answers))
	assert(answers[0]["stat"] == nil, "%s: %v", rpc, answers[0]["stat"])
	return answers[0]
}

// all makes a call that succeeds and joins a repeated field of its messages.
func (c client) all(rpc string, field string, request object) []any {
	answers, err := c.call(rpc, request)
	check(err)
	assert(len(answers) > 0, "%s: no message", rpc)
	var joined []any
	for _, answer := range answers {
		assert(answer["stat"] == nil, "%s: %v", rpc, answer["stat"])
		if part, ok := answer[field].([]any); ok {
			joined = append(joined, part...)
		}
	}
	return joined
}

// fails makes a call that is refused in band.
func (c client) fails(rpc string, request object, code float64) {
	answers, err := c.call(rpc, request)
	check(err)
	assert(len(answers) > 0, "%s: no message", rpc)
	stat, _ := answers[len(answers)-1]["stat"].(object)
	assert(stat["code"] == code, "%s: %v, expected %v", rpc, stat, code)
}

// create makes a stream with a thousand points, one a second, flushed; its uuid as bytes of JSON.
func (c client) create(collection string) string {
	uuid := newUUID()
	c.one("Create", object{
		"uuid": uuid, "collection": collection,
		"tags": c.pairs("name", "x"), "annotations": c.pairs("owner", "me"),
	})
	c.one("Insert", object{"uuid": uuid, "values": values(0, points)})
	c.one("Flush", object{"uuid": uuid})
	return uuid
}

// pairs is new metadata as the protocol writes it.
func (c client) pairs(key string, value string) []object {
	if c.is(v4) {
		return []object{{"key": key, "value": base64.StdEncoding.EncodeToString([]byte(value))}}
	}
	return []object{{"key": key, "val": object{"value": value}}}
}

// optionalPairs is metadata that may be absent, as filters and changes have it.
func (c client) optionalPairs(key string, value string) []object {
	if c.is(v4) {
		value = base64.StdEncoding.EncodeToString([]byte(value))
	}
	return []object{{"key": key, "val": object{"value": value}}}
}

// is tells which service the client calls.
func (c client) is(service protoreflect.FullName) bool {
	return c.service.FullName() == service
}

// decode gives a message as JSON has it.
func decode(message *dynamicpb.Message) object {
	text, err := protojson.Marshal(message)
	check(err)
	var answer object
	check(json.Unmarshal(text, &answer))
	return answer
}
