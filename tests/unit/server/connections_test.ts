/** Connections that have to go when there is no room for another one (docs/security.md). */

import net from "node:net";
import { assert, assertEquals } from "@std/assert";
import { networkOf } from "../../../src/server/transport/client_network.ts";
import { Connections, peerOf } from "../../../src/server/transport/connections.ts";

let port = 0;

/** A connection of a client at `address`. */
function socketOf(address: string): net.Socket {
  const socket = new net.Socket();
  Object.defineProperty(socket, "remoteAddress", { value: address });
  Object.defineProperty(socket, "remotePort", { value: ++port });
  return socket;
}

Deno.test("networkOf: IPv4 addresses are whole, those of IPv6 have 64 bits", () => {
  const cases = [
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "::ffff:192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
    ["2001:db8::6", "2001:db8:0:0::/64"],
    ["2001:db8:1:2:3:4:5::", "2001:db8:1:2::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    [undefined, ""],
  ] as const;
  assertEquals(cases.map(([address]) => networkOf(address)), cases.map(([, network]) => network));
});

// Each of 2^64 addresses of one client had its own 500 connections, so that a single client of IPv6 could
// take them all.
Deno.test("Connections: all addresses of a network of IPv6 share connectionsPerAddress", () => {
  const connections = new Connections({ maxConnections: 100, maxConnectionsPerAddress: 3 });
  for (let i = 1; i <= 20; i++) connections.take(socketOf(`2001:db8:0:7::${i}`));
  assertEquals(connections.size, 3);
  connections.take(socketOf("2001:db8:0:8::1"));
  connections.take(socketOf("192.0.2.1"));
  assertEquals(connections.size, 5);
  connections.destroy();
});

// The oldest silent connection was closed, whoever had opened it. Three addresses that opened thousands a
// second left a client some milliseconds between its connection and its first call.
Deno.test("Connections: the network with most silent connections loses one, not the next client", () => {
  const connections = new Connections({ maxConnections: 10, maxConnectionsPerAddress: 8 });
  const honest = socketOf("192.0.2.1");
  assert(connections.take(honest));
  const hostile: net.Socket[] = [];
  for (let i = 0; i < 300; i++) {
    const socket = socketOf(`198.51.100.${i % 3}`);
    assert(connections.take(socket));
    hostile.push(socket);
  }
  assertEquals([honest.destroyed, connections.size], [false, 10]);
  assertEquals(hostile.filter(({ destroyed }) => !destroyed).length, 9);
  connections.destroy();
});

Deno.test("Connections: a connection that has ended leaves its place, once", async () => {
  const connections = new Connections({ maxConnections: 2, maxConnectionsPerAddress: 2 });
  const sockets = ["192.0.2.1", "192.0.2.1"].map(socketOf);
  for (const socket of sockets) connections.take(socket);
  const closed = new Promise<void>((resolve) => sockets[0]!.once("close", () => resolve()));
  // Made room for another one, and closed after that.
  assert(connections.take(socketOf("192.0.2.1")));
  await closed;
  assertEquals([connections.size, sockets[1]!.destroyed], [2, false]);
  connections.destroy();
});

Deno.test("Connections.idle: idle connections and silent ones go before those with a call under way", () => {
  const connections = new Connections({ maxConnections: 4, maxConnectionsPerAddress: 4 });
  const sockets = Array.from({ length: 4 }, () => socketOf("192.0.2.1"));
  const [busy, idle, again, silent] = sockets;
  for (const socket of sockets) connections.take(socket);
  for (const socket of [busy!, idle!, again!]) connections.heard(peerOf(socket), false);
  for (const socket of [idle!, again!]) connections.idle(peerOf(socket));
  connections.heard(peerOf(again!), false);
  const gone = () => sockets.filter(({ destroyed }) => destroyed);
  const more = () => assert(connections.take(socketOf("192.0.2.1")));
  more();
  assertEquals(gone(), [silent]);
  more();
  assertEquals(gone(), [idle, silent]);
  // Those that came for them are silent.
  for (let i = 0; i < 4; i++) more();
  assertEquals([gone().length, connections.size], [2, 4]);
  connections.destroy();
});
