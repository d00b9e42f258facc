/**
 * A real BTrDB 4.15.9, as far as it was recorded: a gRPC server, in a process of its own, that gives
 * the recorded answer to the recorded call a test has announced, gzipped as the real one does, and
 * lets the embedded engine answer every other call. It says that it is 4.15.9.
 *
 *     deno run -A tests/support/golden/server.ts
 *
 * Prints its port. `/test.Golden/Load` with the name of a scenario begins it on an empty store,
 * `/test.Golden/Step` announces the call with that index and answers how many recorded answers have
 * been given. Ends with its standard input.
 *
 * @module
 */

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import * as http2 from "node:http2";
import { openEngine } from "../../../src/engine/mod.ts";
import { InfoResponseSchema } from "../../../src/gen/btrdb_v4_pb.ts";
import { type GoldenScenario, loadScenario } from "./recording.ts";
import { cutToRecorded, isRequest, recordedAnswer } from "./wire.ts";
import { LocalService } from "../grpc/local_service.ts";

const GZIP = 2;
const PATHS = ["Load", "Step"].map((name) => `/test.Golden/${name}`);

let scenario: GoldenScenario = { name: "", about: "", quirks: [], steps: [] };
let announced = -1;
let recorded = 0;
let store: LocalService | undefined;

async function load(name: string): Promise<void> {
  await store?.close();
  scenario = loadScenario(name);
  announced = -1;
  recorded = 0;
  store = new LocalService(await openEngine());
}

/** The answer to a call, and its status. */
async function answer(
  path: string,
  request: Uint8Array,
): Promise<grpc.StatusObject & { messages: Uint8Array[] }> {
  const ok = { code: 0, details: "", metadata: new grpc.Metadata() };
  const text = new TextDecoder().decode(request);
  if (path === PATHS[0]) {
    await load(text);
    return { ...ok, messages: [new Uint8Array(0)] };
  }
  if (path === PATHS[1]) {
    announced = Number(text);
    return { ...ok, messages: [new TextEncoder().encode(String(recorded))] };
  }
  const rpc = path.slice(path.lastIndexOf("/") + 1);
  if (!path.startsWith("/grpcinterface.BTrDB/")) {
    const service = path.slice(1, path.lastIndexOf("/"));
    return { ...ok, code: 12, details: `unknown service ${service}`, messages: [] };
  }
  const real = await store!.call(path, request);
  const status = { ...ok, code: real.code, details: real.details };
  if (rpc === "Info") return { ...status, messages: [info(real.messages[0]!)] };
  const step = scenario.steps[announced];
  if (step === undefined || !isRequest(step, rpc, request)) {
    return { ...status, messages: real.messages };
  }
  recorded++;
  return { ...ok, messages: recordedAnswer(step) ?? cutToRecorded(step, real.messages) };
}

/** The real server's answer to `Info`, with the address of its one node replaced. */
function info(bytes: Uint8Array): Uint8Array {
  const { majorVersion, minorVersion } = fromBinary(InfoResponseSchema, bytes);
  const said = create(InfoResponseSchema, { majorVersion, minorVersion, build: "4.15.9" });
  return toBinary(InfoResponseSchema, said);
}

// A GOAWAY from a server that has answered many calls can abort the whole process in nghttp2.
const { Http2Session } = http2 as unknown as { Http2Session: { prototype: { goaway(): void } } };
Http2Session.prototype.goaway = () => {};

const server = new grpc.Server({
  "grpc.default_compression_algorithm": GZIP,
  "grpc.max_receive_message_length": -1,
});
const deserialize = (bytes: Uint8Array) => bytes;
const serialize = (bytes: Uint8Array) => Buffer.from(bytes);
// Every method is served as a stream: on the wire an answer of one message is the same.
const names = [
  ...PATHS,
  "/v5api.BTrDB/Info",
  ..."RawValues AlignedWindows Windows StreamInfo SetStreamAnnotations Create ListCollections LookupStreams Nearest Changes Insert Delete Info Flush Obliterate GetMetadataUsage"
    .split(" ").map((name) => `/grpcinterface.BTrDB/${name}`),
];
for (const path of names) {
  const handler = async (call: grpc.ServerWritableStream<Uint8Array, Uint8Array>) => {
    const { messages, ...status } = await answer(path, call.request);
    for (const message of messages) call.write(message);
    if (status.code === 0) call.end();
    else call.emit("error", status);
  };
  server.register(path, handler, serialize, deserialize, "serverStream");
}
const port = await new Promise<number>((resolve, reject) =>
  server.bindAsync(
    "127.0.0.1:0",
    grpc.ServerCredentials.createInsecure(),
    (error, bound) => error === null ? resolve(bound) : reject(error),
  )
);
console.log(port);
for await (const _ of Deno.stdin.readable);
Deno.exit(0);
