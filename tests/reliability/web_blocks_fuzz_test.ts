/**
 * Points in blocks over gRPC-Web (docs/protocol.md), held to a plain reading of them: our client against
 * a server that lies, and our server against histories, ranges, versions and requests of all kinds. An
 * answer is the points bit by bit, or an error. For ten minutes each, from any seed:
 *
 *     FUZZ_MINUTES=10 FUZZ_SEED=1 deno test -A tests/reliability/web_blocks_fuzz_test.ts
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { BTrDBError } from "../../src/core/errors.ts";
import { concatRaw } from "../../src/core/columns.ts";
import { frameOf, GRPC_WEB_TYPE, trailersOf } from "../../src/core/grpc_web.ts";
import { connectGrpcWeb } from "../../src/grpc/connect_grpc_web.ts";
import { encodeBlock } from "../../src/kernel/encode_block.ts";
import { columnsOf } from "../support/engine.ts";
import { damaged, fuzzing } from "../support/fuzzing.ts";
import { info, raw } from "../support/grpc/scripted_answers.ts";
import type { Random } from "../support/random.ts";
import { bitsOf, type PointBits, referenceRaw } from "../support/wire_blocks_reference.ts";
import { field } from "../support/wire_reference.ts";

const uuid = new Uint8Array(16).fill(9);

// ---- a server that lies ----------------------------------------------------------------------

const RANGE = { uuid, start: -1_000n, end: 1_000_000n, version: 11n };

const VALUES: readonly ((random: Random, i: number) => number)[] = [
  () => 1,
  (_, i) => Math.sin(i),
  (random) => random.int(-1000, 1000) / 100,
  (random) => random.int(-1000, 1000) / 64,
  (random) => random.pick([-0, 0, 5e-324, Number.MAX_VALUE, 2 ** 53]),
];

/** Points from `from` on, in order unless chance has it otherwise. */
function somePoints(random: Random, from: bigint): [bigint, number][] {
  const valueAt = random.pick(VALUES), step = random.int(0, 40);
  const n = random.pick([1, 2, random.int(1, 70), random.int(1, 700)]);
  const points = Array.from({ length: n }, (_, i): [bigint, number] => {
    return [BigInt.asIntN(64, from + BigInt(i * step)), valueAt(random, i)];
  });
  if (random.chance(0.9)) return points;
  const at = random.int(0, n - 1);
  const [time, value] = random.pick<[bigint, number]>([
    [-(2n ** 63n), 1],
    [2n ** 63n - 1n, 1],
    [RANGE.end, 1],
    [from, NaN],
    [from, -Infinity],
    [from - 1n, 2],
  ]);
  points[at] = [BigInt.asIntN(64, time), value];
  return points;
}

/** The fields of points in blocks, and what a liar makes of them. */
function blockFields(random: Random, points: readonly [bigint, number][]): number[][] {
  const blocks: number[][] = [];
  for (let at = 0; at < points.length;) {
    const n = random.int(1, points.length - at);
    let block = encodeBlock(columnsOf(points.slice(at, at + n)), 0, n);
    if (random.chance(0.05)) block = damaged(block, random);
    blocks.push([...block]);
    at += n;
  }
  if (random.chance(0.03)) blocks.push([0, 0, 0, 0]);
  if (random.chance(0.03)) blocks.push(...Array.from({ length: 10_000 }, () => [0, 0, 0, 0]));
  if (random.chance(0.03)) blocks.push([random.int(0, 255)]);
  if (random.chance(0.03)) blocks.reverse();
  let announced = BigInt(points.length);
  if (random.chance(0.08)) {
    announced += random.pick([-1n, 1n, 65_536n, 2n ** 32n, 2n ** 63n, -announced]);
  }
  const fields = [field(1001, 0, announced), field(1002, 2, blocks.flat())];
  if (random.chance(0.04)) fields.reverse();
  if (random.chance(0.04)) fields.push(...fields);
  if (random.chance(0.04)) fields.splice(random.int(0, 1), 1);
  if (random.chance(0.04)) fields.push(field(random.pick([1001, 1002]), random.int(0, 1), 2n));
  return fields;
}

/** The messages of an answer. */
function answerOf(random: Random): Uint8Array[] {
  const messages: Uint8Array[] = [];
  let from = BigInt(random.int(0, 1000));
  for (let i = random.int(0, 5); i > 0; i--) {
    const major = random.chance(0.03) ? 12n : 11n;
    const parts: number[][] = [field(2, 0, major)];
    let hasBlocks = false;
    for (let k = random.int(0, 3); k > 0; k--) {
      const points = somePoints(random, from);
      if (!random.chance(0.1)) from = points.at(-1)![0];
      if (random.chance(0.5) || hasBlocks && random.chance(0.9)) {
        parts.push([...raw(points, 0n)]);
      } else {
        parts.push(...blockFields(random, points));
        hasBlocks = true;
      }
    }
    const message = Uint8Array.from(parts.flat());
    messages.push(random.chance(0.1) ? damaged(message, random) : message);
  }
  return messages;
}

/** The points of an answer; `undefined` where it must be refused. */
function truth(messages: readonly Uint8Array[]): PointBits | undefined {
  const all: PointBits = { times: [], values: [] };
  let version: bigint | undefined;
  try {
    for (const bytes of messages) {
      const { code, major, times, values } = referenceRaw(bytes);
      if (code !== 0 || major !== (version ??= major)) return undefined;
      if (times.length > 0 && major !== RANGE.version) return undefined;
      all.times.push(...times);
      all.values.push(...values);
    }
  } catch {
    return undefined;
  }
  const { times } = all;
  const isRight = messages.length > 0 &&
    times.every((time, i) =>
      time >= RANGE.start && time < RANGE.end && (i === 0 || times[i - 1]! <= time)
    );
  return isRight ? all : undefined;
}

/** Sends an answer in pieces, or only its beginning. Returns true if it was whole. */
function reply(random: Random, messages: readonly Uint8Array[], response: ServerResponse): boolean {
  response.writeHead(200, { "content-type": GRPC_WEB_TYPE });
  const frames = messages.map(frameOf);
  const isWhole = random.chance(0.95);
  if (isWhole) frames.push(trailersOf({ code: 0, details: "" }));
  const body = Uint8Array.from(frames.flatMap((frame) => [...frame]));
  for (let at = 0; at < body.length;) {
    const n = random.pick([1, random.int(1, 50), random.int(1, 10_000), body.length]);
    response.write(body.subarray(at, at + n));
    at += n;
  }
  if (isWhole || random.chance(0.5)) response.end();
  else response.destroy();
  return isWhole;
}

Deno.test("rawValues over gRPC-Web: whatever a server says of blocks, points are those it sent or an error", async () => {
  let answer: (response: ServerResponse) => void = () => {};
  const server = createServer((request, response) => {
    request.resume();
    if (!request.url!.endsWith("/Info")) return answer(response);
    response.writeHead(200, { "content-type": GRPC_WEB_TYPE });
    response.write(frameOf(info("4.15.9-deno")));
    response.end(trailersOf({ code: 0, details: "" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const addresses = [`grpc-web://127.0.0.1:${port}`];
  const endpoint = await connectGrpcWeb({ addresses, protocol: "v4", retry: false });
  let right = 0, refused = 0;
  try {
    for (const random of fuzzing("lies about blocks", 400)) {
      const messages = answerOf(random);
      const sent = truth(messages);
      let expected: PointBits | undefined;
      // A connection that broke before its first byte is tried again.
      answer = (response) => {
        expected = reply(random, messages, response) ? sent : undefined;
      };
      const outcome = await Array.fromAsync(endpoint.rawValues(RANGE))
        .catch((error: Error) => error);
      if (outcome instanceof Error) {
        assert(outcome instanceof BTrDBError, String(outcome.stack));
        assertEquals(expected, undefined, outcome.message);
        refused++;
      } else {
        const { times, values } = concatRaw(outcome.map(({ columns }) => columns));
        assertEquals({ times: [...times], values: bitsOf(values) }, expected);
        right++;
      }
    }
  } finally {
    await endpoint.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  // A single seed is one or the other.
  if (right + refused > 100) assertGreater(Math.min(right, refused), 0);
});
