/**
 * A gRPC server that only replays bytes, in a process of its own: the same answers to everybody, so
 * that what is measured is the client. Speaks v4 and v5.
 *
 *     deno run -A bench/support/replay_server.ts POINTS [gzip]
 *
 * With `gzip` its answers are compressed, as those of a real server are.
 * Prints its port. Ends with its standard input.
 *
 * @module
 */

import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { Buffer } from "node:buffer";
import * as http2 from "node:http2";
import { gzipSync } from "node:zlib";
import * as v5 from "../../src/gen/btrdb_v5_pb.ts";
import { encodeRawResponse } from "../../src/kernel/wire.ts";
import { gatherWrites } from "../../src/server/transport/gather_writes.ts";
import { samples, START } from "./data.ts";

const POINTS = Number(Deno.args[0]);
/** Points a message carries, as in the real server. */
const BATCH = 5_000;
/** Bytes given to the socket at once. */
const PIECE_BYTES = 1 << 20;
/** Bytes of requests under way, per connection and per call. */
const WINDOW_BYTES = 4 << 20;
const IS_COMPRESSED = Deno.args[1] === "gzip";
const HEADERS = {
  ":status": 200,
  "content-type": "application/grpc",
  ...(IS_COMPRESSED ? { "grpc-encoding": "gzip" } : {}),
};

function message<Desc extends DescMessage>(desc: Desc, init: MessageInitShape<Desc>): Buffer {
  return Buffer.from(toBinary(desc, create(desc, init)));
}

const columns = samples(POINTS);
const raw: Buffer[] = [];
for (let from = 0; from < POINTS; from += BATCH) {
  const to = Math.min(POINTS, from + BATCH);
  raw.push(Buffer.from(encodeRawResponse(columns, from, to, 11n, 0n)));
}

const version = { versionMajor: 11n, versionMinor: 0n };
const ANSWERS: Readonly<Record<string, Buffer[]>> = {
  Info: [
    message(v5.InfoResponseSchema, { majorVersion: 5, minorVersion: 29, build: "5.29.0-deno" }),
  ],
  StreamInfo: [message(v5.StreamInfoResponseSchema, {
    ...version,
    descriptor: { uuid: new Uint8Array(16).fill(1), collection: "bench", propertyVersion: 1n },
  })],
  RawValues: raw,
  Insert: [message(v5.InsertResponseSchema, version)],
  Nearest: [message(v5.NearestResponseSchema, { ...version, value: { time: START, value: 230 } })],
};

// A GOAWAY from a server that has answered many calls can abort the whole process in nghttp2.
const { Http2Session } = http2 as unknown as { Http2Session: { prototype: { goaway(): void } } };
Http2Session.prototype.goaway = () => {};

/** An answer as it is on the wire: its messages, each behind its five bytes, in large pieces. */
function framed(messages: readonly Buffer[]): Buffer[] {
  const bytes = Buffer.concat(messages.flatMap((plain) => {
    const message = IS_COMPRESSED ? gzipSync(plain) : plain;
    const head = Buffer.alloc(5);
    head[0] = IS_COMPRESSED ? 1 : 0;
    head.writeUInt32BE(message.length, 1);
    return [head, message];
  }));
  const count = Math.ceil(bytes.length / PIECE_BYTES);
  return Array.from(
    { length: count },
    (_, i) => bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES),
  );
}

/** Sends pieces as fast as the client takes them. */
function replay(stream: http2.ServerHttp2Stream, pieces: readonly Buffer[]): void {
  let next = 0;
  const more = () => {
    while (next < pieces.length - 1) if (!stream.write(pieces[next++]!)) return;
    stream.end(pieces[next]);
  };
  stream.respond(HEADERS, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.on("drain", more);
  more();
}

const paths = new Map<string, Buffer[]>();
for (const service of ["grpcinterface.BTrDB", "v5api.BTrDB"]) {
  for (const [rpc, messages] of Object.entries(ANSWERS)) {
    paths.set(`/${service}/${rpc}`, framed(messages));
  }
}
const server = http2.createServer({ settings: { initialWindowSize: WINDOW_BYTES } });
server.on("connection", gatherWrites);
server.on("session", (session) => session.setLocalWindowSize(WINDOW_BYTES));
server.on("stream", (accepted, headers) => {
  const stream = accepted as http2.ServerHttp2Stream;
  const pieces = paths.get(headers[":path"]!);
  stream.on("error", () => {});
  if (pieces === undefined) {
    stream.respond({ ...HEADERS, "grpc-status": "12" }, { endStream: true });
    return;
  }
  stream.on("end", () => replay(stream, pieces));
  stream.resume();
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as { port: number };
// deno-lint-ignore no-console -- whoever starts this waits for the port
console.log(port);
for await (const _ of Deno.stdin.readable);
Deno.exit(0);
