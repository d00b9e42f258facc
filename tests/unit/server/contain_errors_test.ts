/** Errors that nobody catches while a request begins. */

import { once } from "node:events";
import { createServer } from "node:http";
import { connect, createServer as createServer2 } from "node:http2";
import type { ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { status } from "@grpc/grpc-js";
import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { Calls } from "../../../src/server/transport/calls.ts";
import { containErrors } from "../../../src/server/transport/contain_errors.ts";
import { GrpcPort } from "../../../src/server/transport/grpc_port.ts";
import { IncomingBytes } from "../../../src/server/transport/incoming_bytes.ts";
import { OpenRequests } from "../../../src/server/transport/open_requests.ts";
import { RawClient } from "../../support/grpc_client.ts";

/** Messages and paths that a server was told of, and the address of the last one. */
class Told {
  readonly errors: [message: string, path: string][] = [];
  peer = "";
  readonly note = (error: unknown, { path, peer }: { path: string; peer: string }): void => {
    this.errors.push([(error as Error).message, path]);
    this.peer = peer;
  };
}

/** Throws for one path. */
function refuse(path: string | undefined): void {
  if (path === "/strange") throw new Error("strange");
}

Deno.test("containErrors: what a request of HTTP/2 throws ends it alone", async () => {
  const told = new Told();
  const server = createServer2();
  containErrors(server, told.note);
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => {});
    refuse(headers[":path"]);
    stream.respond({ ":status": 200 });
    stream.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const statusOf = (path: string) =>
    new Promise<unknown>((resolve) => {
      const stream = session.request({ ":path": path });
      stream.on("error", () => {});
      stream.on("response", (headers) => resolve(headers[":status"]));
      stream.on("close", () => resolve("reset"));
      stream.resume();
      stream.end();
    });
  assertEquals(await statusOf("/strange"), "reset");
  assertEquals(await statusOf("/"), 200);
  assertEquals(told.errors, [["strange", "/strange"]]);
  assertMatch(told.peer, /^127\.0\.0\.1:\d+$/);
  session.destroy();
  await once(session, "close");
  server.close();
  await once(server, "close");
});

Deno.test("containErrors: what a request of HTTP/1.1 throws ends its connection alone", async () => {
  const told = new Told();
  const server = createServer((request, response) => {
    refuse(request.url);
    response.end("well");
  });
  containErrors(server, told.note);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await assertRejects(() => fetch(`${url}/strange`), TypeError);
  assertEquals(await (await fetch(url)).text(), "well");
  assertEquals(told.errors, [["strange", "/strange"]]);
  assertMatch(told.peer, /^127\.0\.0\.1:\d+$/);
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

Deno.test("containErrors: an error of the server itself is thrown on", () => {
  const told = new Told();
  const server = createServer();
  containErrors(server, told.note);
  assertThrows(() => server.emit("error", new Error("in use")), Error, "in use");
  assertEquals(told.errors, []);
});

/** A port of gRPC with two methods, the second of which fails where it should not. */
async function strangePort(told: Told): Promise<AsyncDisposable & { address: string }> {
  const isKnown = () => true;
  const maxMessageBytes = 1 << 20;
  // deno-lint-ignore require-await -- An error has to be a rejection.
  const calls = new Calls(async (call) => {
    if (call.path === "/x.Y/Strange") throw new Error("strange");
    call.finish();
  }, told.note);
  const grpc = await GrpcPort.open({
    hostname: "127.0.0.1",
    port: 0,
    certificate: undefined,
    maxConnections: 4,
    maxConnectionsPerAddress: 4,
    keepaliveMs: 20_000,
    keepaliveTimeoutMs: 20_000,
    maxMessageBytes,
    maxStreamsPerConnection: 8,
    incoming: new IncomingBytes({
      maxMessageBytes,
      messageBytes: () => maxMessageBytes,
      isKnown,
    }),
    keyOf: () => told,
    open: new OpenRequests(isKnown),
    paths: ["/x.Y/Plain", "/x.Y/Strange"],
    onStrangeError: told.note,
    calls,
  });
  const close = () => grpc.close(calls.finish(0));
  return { address: `127.0.0.1:${grpc.port.number}`, [Symbol.asyncDispose]: close };
}

// What looked for the method of a request without a path threw, in work that nobody waited for.
Deno.test("Calls: an error that nobody caught ends its call, and the server is told", async () => {
  const told = new Told();
  await using port = await strangePort(told);
  using client = new RawClient(port.address);
  for (const _ of [1, 2]) {
    const { code } = await client.call("/x.Y/Strange", new Uint8Array(0));
    assertEquals(code, status.CANCELLED);
    assertEquals((await client.call("/x.Y/Plain", new Uint8Array(0))).code, 0);
  }
  assertEquals(told.errors, Array.from({ length: 2 }, () => ["strange", "/x.Y/Strange"]));
  assertMatch(told.peer, /^127\.0\.0\.1:\d+$/);
});
