/** Bounds on answers that their clients do not take (docs/security.md). */

import http2 from "node:http2";
import { assert, assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { serve } from "../../../src/server/mod.ts";
import { OpenRequests } from "../../../src/server/transport/open_requests.ts";
import { haveOpenssl, makeCertificate } from "../../support/certificate.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { until } from "../../support/until.ts";

/** A connection that can be ended. */
class Connection {
  isEnded = false;
  destroy() {
    this.isEnded = true;
  }
}

Deno.test("OpenRequests: the connection with most of them is ended, each share by itself", async () => {
  const open = new OpenRequests((key) => key === "known", { known: 4, unknown: 3 });
  const [small, large, known, later] = Array.from({ length: 4 }, () => new Connection()) as [
    Connection,
    Connection,
    Connection,
    Connection,
  ];
  const ends = [open.begin(small, undefined)];
  ends.push(open.begin(large, undefined), open.begin(large, "wrong"));
  for (let i = 0; i < 4; i++) open.begin(known, "known");
  // One that has ended, and says so twice, counts no more.
  ends[0]!();
  ends[0]!();
  open.begin(small, undefined);
  open.begin(later, undefined);
  await until("it is ended", () => large.isEnded);
  assertEquals([small, known, later].map(({ isEnded }) => isEnded), [false, false, false]);
  // What ended with its connection is not taken off once more.
  ends[1]!();
  open.begin(later, undefined);
  open.begin(later, undefined);
  await until("the next is ended", () => later.isEnded);
  assertEquals([small, known].map(({ isEnded }) => isEnded), [false, false]);
});

Deno.test("serve: answers by thousands that are not taken end their connection", async () => {
  await using endpoint = await openEngine();
  const apiKeys = [{ key: "root", capabilities: ["read" as const] }];
  await using server = await serve(endpoint, { port: 0, hostname: "127.0.0.1", apiKeys });
  // Nothing of an answer may be sent, so that each is kept.
  const sessions = Array.from({ length: 20 }, () => {
    const session = http2.connect(`http://${server.address}`, {
      settings: { initialWindowSize: 0 },
    });
    session.on("error", () => {});
    for (let i = 0; i < 120; i++) {
      const stream = session.request({
        ":method": "POST",
        ":path": "/v5api.BTrDB/Info",
        "content-type": "application/grpc",
        te: "trailers",
      }, { endStream: false });
      stream.on("error", () => {});
      stream.end(new Uint8Array(5));
    }
    return session;
  });
  await until("one is ended", () => sessions.some(({ closed }) => closed));
  using client = new RawClient(server.address);
  assertEquals((await client.call("/v5api.BTrDB/Info", new Uint8Array(0))).code, 0);
  for (const session of sessions) session.destroy();
  await until("all are closed", () => sessions.every(({ destroyed }) => destroyed));
});

// 20,000 calls without a key on 20 connections kept all others out for seconds.
Deno.test("serve: a connection may have few calls open until a known key is shown on it", async () => {
  await using endpoint = await openEngine();
  const apiKeys = [{ key: "root", capabilities: ["read" as const] }];
  await using server = await serve(endpoint, { port: 0, hostname: "127.0.0.1", apiKeys });
  const session = http2.connect(`http://${server.address}`);
  session.on("error", () => {});
  const told: (number | undefined)[] = [];
  session.on("remoteSettings", (settings) => told.push(settings.maxConcurrentStreams));
  const call = async (authorization: string) => {
    const stream = session.request({
      ":method": "POST",
      ":path": "/v5api.BTrDB/Info",
      "content-type": "application/grpc",
      te: "trailers",
      authorization,
    }, { endStream: false });
    stream.on("error", () => {});
    stream.resume();
    stream.end(new Uint8Array(5));
    await new Promise<void>((resolve) => stream.once("close", () => resolve()));
  };
  await call("Bearer wrong");
  assertEquals(told, [128]);
  await Promise.all(Array.from({ length: 300 }, () => call("Bearer root")));
  await until("more are allowed", () => told.length === 2);
  assertEquals(told, [128, 1_000]);
  const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
  session.destroy();
  await closed;
});

Deno.test("serve: a connection of HTTP/2 is told how many requests it may have open", async () => {
  if (!haveOpenssl()) return console.warn("skipped, there is no openssl");
  await using endpoint = await openEngine();
  const folder = await Deno.makeTempDir();
  const { cert, key } = await makeCertificate(folder);
  await using server = await serve(endpoint, {
    port: 0,
    hostname: "127.0.0.1",
    http: { port: 0 },
    tls: { cert, key },
  });
  const session = http2.connect(`https://127.0.0.1:${server.httpPort}`, {
    rejectUnauthorized: false,
  });
  session.on("error", () => {});
  const settings = await new Promise<http2.Settings>((resolve) =>
    session.once("remoteSettings", resolve)
  );
  assertEquals(settings.maxConcurrentStreams, 128);
  const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
  session.destroy();
  await closed;
  assert(session.destroyed);
  await Deno.remove(folder, { recursive: true });
});
