/**
 * A server of ours that misbehaves: it refuses calls before or after it has done what they ask, says
 * that it is the wrong node or too busy, breaks off answers, and gives some of them twice.
 *
 *     deno run -A tests/support/grpc/chaos_server.ts SEED RATE
 *
 * Prints two ports: of the server, and of one with the same data that behaves. `/test.Chaos/Counts`
 * answers what was done, as JSON. Ends with its standard input.
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import * as grpc from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import * as http2 from "node:http2";
import { openEngine } from "../../../src/engine/mod.ts";
import { ObliterateResponseSchema } from "../../../src/gen/btrdb_v4_pb.ts";
import { SERVICES } from "../../../src/server/btrdb/service.ts";
import { LocalService } from "./local_service.ts";
import { Random } from "../random.ts";

const [seed = "1", rate = "0"] = Deno.args;
const random = new Random(Number(seed));
const counts: Record<string, number> = {};
const engine = await openEngine();
const service = new LocalService(engine);

/** Outcome of a call. */
interface Outcome {
  code: number;
  details: string;
  messages: Uint8Array[];
}

const FAULTS = ["refused", "lost", "wrong node", "busy", "cut", "twice"] as const;

const STREAMED = new Set(["RawValues", "AlignedWindows", "Windows", "Changes", "LookupStreams"]);

function stat(code: number, msg: string): Outcome {
  const message = create(ObliterateResponseSchema, { stat: { code, msg } });
  return { code: 0, details: "", messages: [toBinary(ObliterateResponseSchema, message)] };
}

const gone = (messages: Uint8Array[]): Outcome => ({ code: 14, details: "chaos", messages });

async function disturbed(path: string, request: Uint8Array): Promise<Outcome> {
  if (path.endsWith("/Info") || !random.chance(Number(rate))) {
    return await service.call(path, request);
  }
  const fault = random.pick(FAULTS);
  counts[fault] = (counts[fault] ?? 0) + 1;
  if (fault === "refused") return gone([]);
  if (fault === "wrong node") return stat(405, "wrong endpoint");
  if (fault === "busy") return stat(426, "The cluster is overwhelmed and is shedding load.");
  const outcome = await service.call(path, request);
  const { messages } = outcome;
  if (fault === "lost") return gone([]);
  if (fault === "cut") return gone(messages.slice(0, random.int(0, messages.length)));
  // Within a stream of points nobody could tell the second time from points of equal times.
  return STREAMED.has(path.slice(path.lastIndexOf("/") + 1))
    ? outcome
    : { ...outcome, messages: [...messages, ...messages] };
}

// A GOAWAY from a server that has answered many calls can abort the whole process in nghttp2.
const { Http2Session } = http2 as unknown as { Http2Session: { prototype: { goaway(): void } } };
Http2Session.prototype.goaway = () => {};

type Answer = (path: string, request: Uint8Array) => Promise<Outcome>;

async function listen(answer: Answer): Promise<number> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  const paths = Object.entries(SERVICES)
    .flatMap(([name, table]) => Object.keys(table).map((rpc) => `/${name}/${rpc}`));
  for (const path of [...paths, "/test.Chaos/Counts"]) {
    const handler = async (call: grpc.ServerWritableStream<Uint8Array, Uint8Array>) => {
      const { code, details, messages } = path === "/test.Chaos/Counts"
        ? { code: 0, details: "", messages: [new TextEncoder().encode(JSON.stringify(counts))] }
        : await answer(path, call.request);
      for (const message of messages) call.write(message);
      if (code === 0) call.end();
      else call.emit("error", { code, details, metadata: new grpc.Metadata() });
    };
    const serialize = (bytes: Uint8Array) => Buffer.from(bytes);
    server.register(path, handler, serialize, (bytes: Uint8Array) => bytes, "serverStream");
  }
  return await new Promise((resolve, reject) =>
    server.bindAsync(
      "127.0.0.1:0",
      grpc.ServerCredentials.createInsecure(),
      (error, port) => error === null ? resolve(port) : reject(error),
    )
  );
}

const chaos = await listen(disturbed);
const calm = await listen((path, request) => service.call(path, request));
console.log(`${chaos} ${calm}`);
for await (const _ of Deno.stdin.readable);
Deno.exit(0);
