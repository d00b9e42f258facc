/** Bounds on who asks for health and metrics, which need no key (docs/security.md). */

import net from "node:net";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { serve } from "../../../src/server/mod.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { until } from "../../support/until.ts";

const WATCH = "/grpc.health.v1.Health/Watch";

Deno.test("serve: health watchers are counted, and one more is refused until another has gone", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, {
    port: 0,
    hostname: "127.0.0.1",
    limits: { callsPerConnection: 2_000 },
  });
  using client = new RawClient(server.address);
  let told = 0;
  const watchers = Array.from({ length: 1_000 }, () => {
    const stream = client.open(WATCH, new Uint8Array(0));
    stream.on("data", () => told++);
    stream.on("error", () => {});
    return stream;
  });
  await until("all are told", () => told === 1_000);
  const { code, details } = await client.call(WATCH, new Uint8Array(0));
  assertEquals(code, 8);
  assertStringIncludes(details, "more than 1000 calls watch already");
  // The check of an orchestrator goes on, and so does watching once there is room.
  assertEquals((await client.call("/grpc.health.v1.Health/Check", new Uint8Array(0))).code, 0);
  watchers.pop()!.cancel();
  await until("there is room again", async () => {
    const next = client.open(WATCH, new Uint8Array(0));
    next.on("error", () => {});
    const isTold = await new Promise<boolean>((resolve) => {
      next.on("data", () => resolve(true));
      next.on("status", () => resolve(false));
    });
    next.cancel();
    return isTold;
  });
  for (const stream of watchers) stream.cancel();
});

// The first thousand watchers kept everybody else out, so that one client without a key turned the health
// checks of all others into failures.
Deno.test("serve: the address with most health watchers loses one to a client from elsewhere", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, {
    port: 0,
    hostname: "::",
    apiKeys: [{ key: "root", capabilities: ["read"] }],
  });
  let told = 0;
  const statuses: string[] = [];
  const clients = Array.from({ length: 10 }, () => new RawClient(`127.0.0.1:${server.port}`));
  for (const client of clients) {
    for (let i = 0; i < 100; i++) {
      const stream = client.open(WATCH, new Uint8Array(0));
      stream.on("data", () => told++);
      stream.on("error", () => {});
      stream.on("status", ({ code, details }) => statuses.push(`${code} ${details}`));
    }
  }
  await until("all are told", () => told === 1_000);
  using elsewhere = new RawClient(`[::1]:${server.port}`);
  const watcher = elsewhere.open(WATCH, new Uint8Array(0));
  watcher.on("error", () => {});
  const isTold = await new Promise<boolean>((resolve) => {
    watcher.on("data", () => resolve(true));
    watcher.on("status", () => resolve(false));
  });
  assert(isTold, "a client from elsewhere is told");
  await until("one of the others has ended", () => statuses.length === 1);
  assertEquals(statuses, ["8 more than 1000 calls watch already"]);
  watcher.cancel();
  for (const client of clients) client[Symbol.dispose]();
});

Deno.test("serve: connections of the metrics port are bounded, and it answers when they have gone", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { port: 0, hostname: "127.0.0.1", metricsPort: 0 });
  const closed = new Set<net.Socket>();
  const sockets: net.Socket[] = [];
  for (let i = 0; i < 80; i++) {
    const socket = net.connect(server.metricsPort!, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => closed.add(socket));
    sockets.push(socket);
    await new Promise<void>((resolve) => socket.once("connect", resolve));
  }
  await until("those above the bound are closed", () => closed.size >= 16);
  assert(closed.size < 80, `${closed.size} of 80 were closed`);
  for (const socket of sockets) socket.destroy();
  await until("it answers", async () => {
    try {
      const response = await fetch(`http://127.0.0.1:${server.metricsPort}/healthz`);
      return await response.text() === "ok\n";
    } catch {
      return false;
    }
  });
});

// 64 connections from one address that sent nothing kept everybody else away from the port for 10 s, again
// and again: the probes of an orchestrator failed, and it started a healthy server anew.
Deno.test("serve: one address cannot take all connections of the metrics port", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { port: 0, metricsHost: "::", metricsPort: 0 });
  const port = server.metricsPort!;
  let closed = 0;
  const sockets: net.Socket[] = [];
  for (let i = 0; i < 64; i++) {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => closed++);
    sockets.push(socket);
    await new Promise<void>((resolve) => socket.once("connect", resolve));
  }
  await until("the address has no more than its share", () => closed === 48);
  for (const host of ["[::1]", "127.0.0.1"]) {
    const response = await fetch(`http://${host}:${port}/healthz`);
    assertEquals(await response.text(), "ok\n");
  }
  // The one whose connection was closed for it is of the crowd itself.
  await until("the oldest silent one has gone", () => closed === 49);
  for (const socket of sockets) socket.destroy();
});

Deno.test("serve: the metrics port answers several requests on one connection", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { port: 0, hostname: "127.0.0.1", metricsPort: 0 });
  const socket = net.connect(server.metricsPort!, "127.0.0.1");
  let text = "";
  socket.on("data", (bytes) => text += bytes);
  for (let answers = 1; answers <= 3; answers++) {
    socket.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await until("it answers", () => text.split("\nok\n").length === answers + 1);
  }
  assertEquals(socket.destroyed, false);
  socket.destroy();
});
