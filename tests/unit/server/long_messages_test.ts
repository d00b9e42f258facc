/**
 * Long messages on the gRPC port. The library joined all pieces of one at its end, which kept 51 MiB
 * busy for 90 ms; bytes at a time are counted here, not milliseconds.
 */

import { Buffer } from "node:buffer";
import http2 from "node:http2";
import { gzipSync } from "node:zlib";
import { assert, assertEquals, assertLess, assertStringIncludes, assertThrows } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { encodeInsert } from "../../../src/kernel/wire.ts";
import { serve } from "../../../src/server/mod.ts";
import { MessageReader } from "../../../src/server/transport/long_messages.ts";
import { createStream, regular } from "../../support/engine.ts";
import { RawClient } from "../../support/grpc_client.ts";

const INSERT = "/v5api.BTrDB/Insert";

/** A message with its head. */
function framed(message: Uint8Array, flag = 0): Uint8Array {
  const bytes = new Uint8Array(5 + message.length);
  bytes[0] = flag;
  new DataView(bytes.buffer).setUint32(1, message.length);
  bytes.set(message, 5);
  return bytes;
}

Deno.test("MessageReader: messages come back whole, however the bytes are cut", () => {
  const messages = [0, 1, 5, 70_000, 2_000_000, 3].map((length) =>
    framed(new Uint8Array(length).map((_, i) => i), length % 2)
  );
  const all = Buffer.concat(messages);
  for (const piece of [1_000, 65_536, all.length]) {
    const reader = new MessageReader(1 << 24);
    const read: Uint8Array[] = [];
    for (let at = 0; at < all.length; at += piece) {
      read.push(...reader.write(all.subarray(at, at + piece)));
    }
    assertEquals(read.length, messages.length);
    for (const [i, message] of read.entries()) {
      assert(message.every((b, j) => b === messages[i]![j]));
    }
  }
});

Deno.test("MessageReader: a message that is too long is refused by its head", () => {
  const reader = new MessageReader(1024);
  assertThrows(
    () => reader.write(framed(new Uint8Array(1025)).subarray(0, 5)),
    Error,
    "Received message larger than max (1025 vs 1024)",
  );
});

/** Makes a call with a message that is compressed; its status and text. */
function callCompressed(
  address: string,
  message: Uint8Array,
  encoding: string,
  flag = 1,
): Promise<[status: string, text: string]> {
  const session = http2.connect(`http://${address}`);
  session.on("error", () => {});
  const stream = session.request({
    ":method": "POST",
    ":path": INSERT,
    "content-type": "application/grpc",
    "grpc-encoding": encoding,
    te: "trailers",
  });
  stream.end(Buffer.from(framed(message, flag)));
  return new Promise((resolve) => {
    const hear = (headers: http2.IncomingHttpHeaders) => {
      if (headers["grpc-status"] === undefined) return;
      const text = decodeURIComponent(String(headers["grpc-message"] ?? ""));
      session.close(() => resolve([String(headers["grpc-status"]), text]));
    };
    stream.on("response", hear);
    stream.on("trailers", hear);
    stream.on("error", () => {});
    stream.resume();
  });
}

Deno.test("serve: no more than 2 MiB of a long message are joined at a time", async () => {
  await using endpoint = await openEngine();
  const uuid = await createStream(endpoint);
  await using server = await serve(endpoint, { port: 0, hostname: "127.0.0.1" });
  const message = encodeInsert({ uuid, columns: regular(700_000), protocol: "v5" });
  const compressed = gzipSync(message, { level: 1 });
  const concat = Buffer.concat;
  let most = 0;
  Buffer.concat = (list, length) => {
    const joined = concat(list, length);
    most = Math.max(most, joined.length);
    return joined;
  };
  try {
    using client = new RawClient(server.address);
    assertEquals((await client.call(INSERT, message)).code, 0);
    const [status] = await callCompressed(server.address, compressed, "gzip");
    assertEquals(status, "0");
  } finally {
    Buffer.concat = concat;
  }
  assertLess(most, 2 << 20);
  let points = 0;
  const range = { uuid, start: -1n, end: 2n ** 60n, version: 0n };
  for await (const { columns } of endpoint.rawValues(range)) points += columns.times.length;
  assertEquals(points, 1_400_000);
});

Deno.test("serve: messages that cannot be unpacked end as they did with the library", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, { port: 0, hostname: "127.0.0.1" });
  const bomb = gzipSync(new Uint8Array(17 << 20));
  assertEquals(await callCompressed(server.address, bomb, "gzip"), [
    "8",
    `Received message that decompresses to a size larger than ${16 << 20}`,
  ]);
  const broken = gzipSync(new Uint8Array(100_000)).subarray(0, 60);
  assertEquals(await callCompressed(server.address, broken, "gzip"), [
    "13",
    "Failed to decompress message",
  ]);
  const [status, text] = await callCompressed(server.address, bomb, "snappy");
  assertEquals(status, "12");
  assertStringIncludes(text, 'unsupported encoding "snappy"');
});

// A compressed insert of a call that names no compression was read as if it were plain, and so were messages
// with flags that mean nothing.
Deno.test("serve: a compressed message without a compression, or an unknown flag, is INTERNAL", async () => {
  await using endpoint = await openEngine();
  const uuid = await createStream(endpoint);
  await using server = await serve(endpoint, { port: 0, hostname: "127.0.0.1" });
  const plain = encodeInsert({ uuid, columns: regular(10), protocol: "v5" });
  assertEquals(await callCompressed(server.address, plain, "identity"), [
    "13",
    "Received compressed message, but grpc-encoding names no compression",
  ]);
  for (const flag of [2, 3, 255]) {
    for (const encoding of ["identity", "gzip"]) {
      assertEquals(await callCompressed(server.address, plain, encoding, flag), [
        "13",
        `Received message with unknown flag ${flag}, expected 0 or 1`,
      ]);
    }
  }
  assertEquals((await callCompressed(server.address, plain, "gzip", 0))[0], "0");
});
