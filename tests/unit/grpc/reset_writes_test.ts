/** Writes that a server resets, with codes of HTTP/2 that say something of what it did. */

import { assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { BTrDBError } from "../../../src/core/errors.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { LocalService } from "../../support/grpc/local_service.ts";
import { readAll } from "../../support/grpc/scripted_client.ts";

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_REFUSED_STREAM } = http2.constants;
const uuid = new Uint8Array(16).fill(6);
const ALL = { uuid, start: 0n, end: 1000n, version: 0n };
const POINTS = { times: BigInt64Array.of(1n, 2n), values: Float64Array.of(1, 2) };

/** Fate of an insert: nothing else, or it is reset, before it is stored or after it. */
type Fate = "answer" | "reset" | "store and reset";

/** A server with a store, which resets inserts with `code` as `fate` says. */
async function withResets(
  code: number,
  fate: () => Fate,
  body: (endpoint: Endpoint, store: Endpoint, calls: string[]) => Promise<void>,
): Promise<void> {
  const store = await openEngine();
  const service = new LocalService(store);
  const calls: string[] = [];
  const answer = async (stream: http2.ServerHttp2Stream, path: string, body: Uint8Array) => {
    const rpc = path.slice(path.lastIndexOf("/") + 1);
    calls.push(rpc);
    const what = rpc === "Insert" ? fate() : "answer";
    if (what === "reset") return stream.close(code);
    const { code: status, details, messages } = await service.call(path, body.subarray(5));
    if (what === "store and reset") return stream.close(code);
    stream.on(
      "wantTrailers",
      () =>
        stream.sendTrailers({ "grpc-status": String(status), "grpc-message": encodeURI(details) }),
    );
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, {
      waitForTrailers: true,
    });
    for (const message of messages) {
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      stream.write(Buffer.concat([head, message]));
    }
    stream.end();
  };
  const server = http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session: http2.ServerHttp2Session) => sessions.add(session));
  server.on("stream", (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => {
    const parts: Uint8Array[] = [];
    stream.on("error", () => {});
    stream.on("data", (part: Uint8Array) => parts.push(part));
    stream.on("end", () => void answer(stream, headers[":path"] as string, Buffer.concat(parts)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const retry = { initialDelayMs: 1, maxDelayMs: 2, attempts: 5 };
  const endpoint = await connectGrpc({ addresses: [`127.0.0.1:${port}`], retry, settleMs: 5 });
  try {
    const tags = new Map([["name", "x"]]);
    await store.create({ uuid, collection: "c", tags, annotations: new Map() });
    await body(endpoint, store, calls);
  } finally {
    await endpoint.close();
    for (const session of sessions) session.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await service.close();
  }
}

// Its word was taken: the insert was made again at once, and its points were there twice.
Deno.test("insert: one that a server has stored and says it has refused is stored once", async () => {
  const fates: Fate[] = ["store and reset"];
  await withResets(NGHTTP2_REFUSED_STREAM, () => fates.pop() ?? "answer", async (db, store) => {
    assertEquals(await db.insert({ uuid, columns: POINTS }), { major: 10n, minor: 2n });
    assertEquals(await readAll(store, ALL), [[1n, 1], [2n, 2]]);
  });
});

Deno.test("insert: refused ones are made again, all at once, whatever is in the stream", async () => {
  let n = 0;
  const fate = () => ++n % 3 === 0 ? "reset" : "answer";
  await withResets(NGHTTP2_REFUSED_STREAM, fate, async (db, store) => {
    await store.insert({ uuid, columns: POINTS });
    const inserts = Array.from({ length: 12 }, () => db.insert({ uuid, columns: POINTS }));
    await Promise.all(inserts);
    assertEquals((await readAll(store, ALL)).length, 26);
  });
});

// Who writes beside others must not be told that nobody knows, where the server does.
Deno.test("insert: a refused one is made again though others have written meanwhile", async () => {
  let store: Endpoint | undefined;
  const fates: Fate[] = ["reset"];
  const fate = (): Fate => {
    if (fates.length > 0) {
      void store!.insert({
        uuid,
        columns: { times: BigInt64Array.of(7n), values: Float64Array.of(7) },
      });
    }
    return fates.pop() ?? "answer";
  };
  await withResets(NGHTTP2_REFUSED_STREAM, fate, async (db, inner, calls) => {
    store = inner;
    // There before, so that a look finds them.
    await inner.insert({ uuid, columns: POINTS });
    await inner.flush(uuid);
    await db.insert({ uuid, columns: POINTS });
    const stored = await readAll(inner, ALL);
    assertEquals(stored, [[1n, 1], [1n, 1], [2n, 2], [2n, 2], [7n, 7]]);
    assertEquals(calls.filter((rpc) => rpc === "Insert").length, 2);
  });
});

// A server that makes room for others ends calls, those that it has stored too, if the client did not read
// for a while: a laptop that slept. The error said RESOURCE_EXHAUSTED, as of an insert that was refused.
for (const isStored of [true, false]) {
  Deno.test(`insert: one that was ${isStored ? "" : "not "}stored before the server made room is looked for`, async () => {
    const fates: Fate[] = [isStored ? "store and reset" : "reset"];
    const fate = () => fates.pop() ?? "answer";
    await withResets(NGHTTP2_ENHANCE_YOUR_CALM, fate, async (db, store) => {
      const insert = () => db.insert({ uuid, columns: POINTS });
      if (isStored) assertEquals(await insert(), { major: 10n, minor: 2n });
      else assertEquals((await assertRejects(insert, BTrDBError)).status, "RESOURCE_EXHAUSTED");
      assertEquals((await readAll(store, ALL)).length, isStored ? 2 : 0);
    });
  });
}
