/**
 * Our client against a server that answers at random: bytes that are no frames, frames that are no
 * messages, messages with other content. Every call ends, with data that such a question can have or one
 * of our errors, and no error of the language's own comes out. For ten minutes:
 *
 *     FUZZ_MINUTES=10 deno test -A tests/reliability/grpc_hostile_server_fuzz_test.ts
 */

import { assert } from "@std/assert";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { BTrDBError } from "../../src/core/errors.ts";
import { connectGrpc } from "../../src/grpc/mod.ts";
import type { Endpoint } from "../../src/endpoint/endpoint.ts";
import { encodeBlock } from "../../src/kernel/encode_block.ts";
import { encodeBlocksResponse } from "../../src/kernel/wire.ts";
import { answer, begin, framed, HostileServer } from "../support/grpc/hostile_server.ts";
import { info, raw, versioned, windows } from "../support/grpc/scripted_answers.ts";
import { fuzzing } from "../support/fuzzing.ts";
import type { Random } from "../support/random.ts";

const uuid = new Uint8Array(16).fill(4);
const range = { uuid, start: 100n, end: 200n, version: 11n };

async function drain(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source);
}

/** Drains points or windows, and demands that their times are of the question and in order. */
async function drainInOrder(
  source: AsyncIterable<{ columns: { times: BigInt64Array } }>,
  start: bigint = range.start,
): Promise<void> {
  let last = start;
  for await (const { columns: { times } } of source) {
    for (const time of times) {
      assert(time >= last && time < range.end, `a time of ${time} after ${last}`);
      last = time;
    }
  }
}

const CALLS: readonly ((endpoint: Endpoint) => Promise<unknown>)[] = [
  (endpoint) => drainInOrder(endpoint.rawValues(range)),
  (endpoint) => drainInOrder(endpoint.windows({ ...range, width: 10n, depth: 0 })),
  (endpoint) => drainInOrder(endpoint.alignedWindows({ ...range, pointwidth: 4 }), 96n),
  (endpoint) => endpoint.nearest({ uuid, time: 150n, version: 11n, backward: true }),
  (endpoint) => endpoint.streamInfo({ uuid, omitVersion: false, omitDescriptor: false }),
  (endpoint) => drain(endpoint.changes({ uuid, from: 1n, to: 11n, resolution: 0 })),
  (endpoint) => drain(endpoint.listCollections({ prefix: "" })),
  (endpoint) => endpoint.flush(uuid),
];

const noise = (random: Random, most: number) =>
  Uint8Array.from({ length: random.int(0, most) }, () => random.int(0, 255));

/** A response of compressed points, whose number may be a lie. */
function blocks(random: Random): Uint8Array {
  const n = random.int(1, 200);
  const times = BigInt64Array.from({ length: n }, (_, i) => 100n + BigInt(i) / 2n);
  const values = Float64Array.from({ length: n }, (_, i) => i / random.int(1, 8));
  const block = encodeBlock({ times, values }, 0, n);
  const points = random.chance(0.5) ? 2 * n : random.int(0, 2 ** 32 - 1);
  const memory = (bytes: number) => new Uint8Array(bytes);
  return encodeBlocksResponse({ points, blocks: [block, block] }, 11n, 0n, memory);
}

/** Times about the range of the questions, in order or not. */
function someTimes(random: Random): bigint[] {
  const times = Array.from({ length: random.int(1, 6) }, () => BigInt(random.int(94, 206)));
  if (random.chance(0.7)) times.sort((one, other) => one < other ? -1 : 1);
  return times;
}

/** A message of some kind, changed a little. */
function message(random: Random): Uint8Array {
  const whole = random.pick([
    raw(someTimes(random).map((time) => [time, random.int(-9, 9)])),
    blocks(random),
    windows(someTimes(random).map((time) => [time, BigInt(random.int(0, 9))])),
    versioned(11n),
    info("4.15.9-deno"),
    noise(random, 200),
  ]).slice();
  for (let i = random.int(-3, 3); i > 0 && whole.length > 0; i--) {
    whole[random.int(0, whole.length - 1)] = random.int(0, 255);
  }
  return random.chance(0.2) ? whole.subarray(0, random.int(0, whole.length)) : whole;
}

/** One answer, with as much of it right as chance has it. */
function misbehave(random: Random, stream: Parameters<typeof begin>[0]): void {
  const frames: Uint8Array[] = [];
  let headers = {};
  for (let i = random.int(0, 4); i > 0; i--) {
    const bytes = message(random);
    const kind = random.int(0, 9);
    if (kind === 0) frames.push(noise(random, 40));
    else if (kind === 1) frames.push(framed(bytes, random.int(0, 255)));
    else if (kind === 2) frames.push(framed(bytes, 0, random.int(0, 2 ** 31)));
    else if (kind === 3) {
      headers = { "grpc-encoding": random.pick(["gzip", "deflate", "br", "identity", "\u00e4"]) };
      frames.push(framed(random.chance(0.5) ? gzipSync(bytes) : bytes, 1));
    } else frames.push(framed(bytes));
  }
  begin(stream, headers);
  if (stream.destroyed) return;
  if (random.chance(0.1)) return stream.close(random.int(0, 13));
  stream.end(Buffer.concat(frames));
}

Deno.test("connectGrpc: whatever a server answers, calls end with data or one of our errors", async () => {
  let random: Random | undefined;
  await using server = await HostileServer.start((rpc, stream) => {
    if (random === undefined) answer(stream, rpc === "Info" ? info("4.15.9-deno") : versioned(11n));
    else misbehave(random, stream);
  });
  const retry = { initialDelayMs: 1, maxDelayMs: 2, attempts: 2, maxElapsedMs: 500 };
  for (const numbers of fuzzing("hostile server", 150)) {
    random = undefined;
    const endpoint = await connectGrpc({ addresses: [server.address], retry, settleMs: 5 });
    random = numbers;
    try {
      const call = numbers.pick(CALLS);
      await call(endpoint).catch((error) => {
        assert(error instanceof BTrDBError, `${CALLS.indexOf(call)}: ${error?.stack ?? error}`);
        assert(error.message.length < 4000, `${error.message.length} characters`);
      });
    } finally {
      random = undefined;
      await endpoint.close();
    }
  }
});
