/**
 * A gRPC server that only replays bytes, in a process of its own: the same answers to everybody, so
 * that what is measured is the client. Speaks v4 and v5.
 *
 *     deno run -A bench/support/replay_server.ts POINTS
 *
 * Prints its port. Ends with its standard input.
 *
 * @module
 */

import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import * as http2 from "node:http2";
import * as v5 from "../../src/gen/btrdb_v5_pb.ts";
import { encodeRawResponse } from "../../src/kernel/wire.ts";
import { samples, START } from "./data.ts";

const POINTS = Number(Deno.args[0]);
/** Points a message carries, as in the real server. */
const BATCH = 5_000;

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

/** Sends messages as fast as the client takes them. */
function replay(
  call: grpc.ServerWritableStream<Buffer, Buffer>,
  messages: readonly Buffer[],
): void {
  let next = 0;
  const more = () => {
    while (next < messages.length) if (!call.write(messages[next++]!)) return;
    call.end();
  };
  call.on("drain", more);
  more();
}

const server = new grpc.Server({
  "grpc.max_receive_message_length": -1,
  "grpc-node.flow_control_window": 4 << 20,
});
for (const service of ["grpcinterface.BTrDB", "v5api.BTrDB"]) {
  for (const [rpc, messages] of Object.entries(ANSWERS)) {
    const handler = (call: grpc.ServerWritableStream<Buffer, Buffer>) => replay(call, messages);
    const identity = (bytes: Buffer) => bytes;
    server.register(`/${service}/${rpc}`, handler, identity, identity, "serverStream");
  }
}
const port = await new Promise<number>((resolve, reject) =>
  server.bindAsync(
    "127.0.0.1:0",
    grpc.ServerCredentials.createInsecure(),
    (error, bound) => error === null ? resolve(bound) : reject(error),
  )
);
// deno-lint-ignore no-console -- whoever starts this waits for the port
console.log(port);
for await (const _ of Deno.stdin.readable);
Deno.exit(0);
