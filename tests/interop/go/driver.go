package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
)

const (
	connectTimeout = 5 * time.Second
	infoTimeout    = 2 * time.Second
	retryPause     = 300 * time.Millisecond
	insertBatch    = 50_000
)

// driver makes the calls that BTrDB's own Go driver makes, in its order and by its rules: it learns the
// mash from the first server that answers, finds the member of each stream by its hash, dials the
// member's endpoints, and learns the mash again when a call finds the wrong member or none. The
// driver itself (github.com/BTrDB/btrdb/v5) is not part of this: none of its code is here.
type driver struct {
	bootstraps []string
	service    protoreflect.ServiceDescriptor

	mu        sync.Mutex
	members   []member
	endpoints map[uint32]client
	resyncs   int
}

// member is a member of the mash that serves a part of the hashes.
type member struct {
	hash       uint32
	start, end int64
	addresses  []string
}

// codedError is an error in band.
type codedError struct {
	code int
	text string
}

func (e codedError) Error() string { return fmt.Sprintf("(%d: %s)", e.code, e.text) }

var errNoEndpoint = errors.New("endpoint is unreachable on all addresses")

// connectDriver asks the bootstraps, one after another, until one of them answers, takes its mash,
// and disconnects from it.
func connectDriver(
	ctx context.Context, service protoreflect.ServiceDescriptor, bootstraps []string,
) (*driver, error) {
	d := &driver{bootstraps: bootstraps, service: service}
	err := errNoEndpoint
	for _, address := range bootstraps {
		c, info, failure := d.dial(ctx, address)
		if failure != nil {
			err = failure
			continue
		}
		c.conn.Close()
		d.learn(info)
		return d, nil
	}
	return nil, err
}

// dial connects to an address and makes sure that what answers there is of version 5.
func (d *driver) dial(ctx context.Context, address string) (client, object, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	//lint:ignore SA1019 this is how the driver dials
	conn, err := grpc.DialContext(ctx, address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithBlock(),
		grpc.FailOnNonTempDialError(true),
		grpc.WithInitialWindowSize(1<<20),
		grpc.WithInitialConnWindowSize(1<<20),
		grpc.WithDecompressor(grpc.NewGZIPDecompressor()))
	if err != nil {
		return client{}, nil, err
	}
	c := client{conn, d.service}
	info, err := c.info(ctx)
	if err == nil && info["majorVersion"] != 5.0 {
		err = fmt.Errorf("endpoint is the wrong version: %v", info["majorVersion"])
	}
	if err != nil {
		conn.Close()
		return client{}, nil, err
	}
	return c, info, nil
}

// learn takes over a mash: the members that are in, up, and have a range that is not empty.
func (d *driver) learn(info object) {
	d.members, d.endpoints = nil, map[uint32]client{}
	mash, _ := info["mash"].(object)
	members, _ := mash["members"].([]any)
	for _, item := range members {
		m := item.(object)
		hash, _ := m["hash"].(float64)
		addresses, _ := m["grpcEndpoints"].(string)
		one := member{uint32(hash), number(m["start"]), number(m["end"]), strings.Split(addresses, ";")}
		if m["in"] == true && m["up"] == true && one.start != one.end {
			d.members = append(d.members, one)
		}
	}
}

// memberFor finds the member that a stream belongs to.
func (d *driver) memberFor(uuid []byte) (member, error) {
	hash := int64(murmur3(uuid))
	for _, m := range d.members {
		if m.start <= hash && m.end > hash {
			return m, nil
		}
	}
	return member{}, codedError{419, "cluster is degraded"}
}

// endpointFor is the connection to a stream's member, made when it is first needed at the first of the
// member's addresses that answers.
func (d *driver) endpointFor(ctx context.Context, uuid []byte) (client, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m, err := d.memberFor(uuid)
	if err != nil {
		return client{}, err
	}
	if c, ok := d.endpoints[m.hash]; ok {
		return c, nil
	}
	for _, address := range m.addresses {
		if c, _, err := d.dial(ctx, address); err == nil {
			d.endpoints[m.hash] = c
			return c, nil
		}
	}
	return client{}, errNoEndpoint
}

// anyEndpoint is for calls about no stream in particular: a connection that is there, or that of a
// stream made up.
func (d *driver) anyEndpoint(ctx context.Context) (client, error) {
	d.mu.Lock()
	for _, c := range d.endpoints {
		d.mu.Unlock()
		return c, nil
	}
	d.mu.Unlock()
	return d.endpointFor(ctx, random(16))
}

// call makes a call about a stream, or about none, again and again while it goes to the wrong member
// or to nobody.
func (d *driver) call(
	ctx context.Context, uuid []byte, rpc string, request object,
) ([]object, error) {
	for {
		answers, seen, err := d.try(ctx, uuid, rpc, request)
		if err == nil || !needsResync(err) {
			return answers, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(retryPause):
		}
		d.resync(ctx, seen)
	}
}

// try makes a call once; seen is how often the mash had been learnt again before.
func (d *driver) try(
	ctx context.Context, uuid []byte, rpc string, request object,
) (answers []object, seen int, err error) {
	d.mu.Lock()
	seen = d.resyncs
	d.mu.Unlock()
	var c client
	if uuid == nil {
		c, err = d.anyEndpoint(ctx)
	} else {
		c, err = d.endpointFor(ctx, uuid)
	}
	if err != nil {
		return nil, seen, err
	}
	answers, err = c.call(rpc, request)
	if err == nil {
		err = inBand(answers)
	}
	return answers, seen, err
}

// needsResync tells the errors that the driver meets by asking for the mash.
func needsResync(err error) bool {
	var coded codedError
	if errors.As(err, &coded) {
		return coded.code == 405 || coded.code == 419
	}
	return errors.Is(err, errNoEndpoint) || status.Code(err) == codes.Unavailable ||
		strings.Contains(err.Error(), "connection refused")
}

// resync asks for the mash: the servers that are connected, then the bootstraps, then the members of
// the mash it has. Nothing changes while nobody answers, or when somebody else was faster.
func (d *driver) resync(ctx context.Context, seen int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.resyncs != seen {
		return
	}
	info := d.askConnected(ctx)
	addresses := d.bootstraps
	for _, m := range d.members {
		addresses = append(addresses[:len(addresses):len(addresses)], m.addresses...)
	}
	for i := 0; info == nil && i < len(addresses); i++ {
		if c, answer, err := d.dial(ctx, addresses[i]); err == nil {
			c.conn.Close()
			info = answer
		}
	}
	if info == nil {
		return
	}
	for _, c := range d.endpoints {
		c.conn.Close()
	}
	d.learn(info)
	d.resyncs++
}

func (d *driver) askConnected(ctx context.Context) object {
	for _, c := range d.endpoints {
		short, cancel := context.WithTimeout(ctx, infoTimeout)
		info, err := c.info(short)
		cancel()
		if err == nil {
			return info
		}
	}
	return nil
}

// close disconnects from everybody.
func (d *driver) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.endpoints {
		c.conn.Close()
	}
}

// inBand is the error that an answer carries.
func inBand(answers []object) error {
	for _, answer := range answers {
		if stat, ok := answer["stat"].(object); ok {
			code, _ := stat["code"].(float64)
			text, _ := stat["msg"].(string)
			if code != 0 {
				return codedError{int(code), text}
			}
		}
	}
	return nil
}

// number reads a 64-bit integer of JSON; a zero is left out there.
func number(value any) int64 {
	var n int64
	if text, ok := value.(string); ok {
		_, err := fmt.Sscan(text, &n)
		check(err)
	}
	return n
}
