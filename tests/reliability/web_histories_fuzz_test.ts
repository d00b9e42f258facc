/**
 * Raw points over gRPC-Web, in blocks where they are stored so, held to the points of the database bit by
 * bit: streams with histories of all kinds, versions and ranges at random, requests in every form that
 * protobuf has, connections that break, and changes while an answer is read. For ten minutes:
 *
 *     FUZZ_MINUTES=10 FUZZ_SEED=1 deno test -A tests/reliability/web_histories_fuzz_test.ts
 */

import { assert, assertEquals, assertGreater } from "@std/assert";
import { BTrDBError } from "../../src/core/errors.ts";
import { concatRaw, type RawColumns } from "../../src/core/columns.ts";
import { FrameReader, GRPC_WEB_TYPE, messageHead, statusOf } from "../../src/core/grpc_web.ts";
import type { Endpoint, RangeRequest } from "../../src/endpoint/endpoint.ts";
import { type Engine, openEngine } from "../../src/engine/mod.ts";
import { LATE_LIMITS } from "../../src/engine/tree/late_plan.ts";
import { connectGrpcWeb } from "../../src/grpc/connect_grpc_web.ts";
import { rawValuesParams } from "../../src/grpc/wire/messages.ts";
import { serve } from "../../src/server/mod.ts";
import { fuzzing } from "../support/fuzzing.ts";
import { FaultProxy } from "../support/grpc/fault_proxy.ts";
import { EAGER_LATE } from "../support/late_limits.ts";
import type { Random } from "../support/random.ts";
import { bitsOf, type PointBits, referenceRaw } from "../support/wire_blocks_reference.ts";
import { field } from "../support/wire_reference.ts";

const MIN = -(2n ** 60n), MAX = 3n * 2n ** 60n - 1n;

/** Most time of the processor of a run, ms: it inserts and reads up to some 100,000 points. */
const LIMIT_MS = 5_000;

/** Histories by default. */
const RUNS = 20;

const VALUES: readonly ((random: Random, i: number) => number)[] = [
  () => 230,
  (_, i) => 230 + Math.sin(i),
  (_, i) => Math.round(60_000 + 5 * Math.sin(i)) / 1000,
  (_, i) => Math.fround(i * 1.7),
  (random) => random.next() * 2 ** random.int(-900, 900),
  (random) => random.pick([-0, 0, 5e-324, -Number.MAX_VALUE, Number.MAX_VALUE, 2 ** 53]),
];

const STEPS = [0n, 1n, 1n, 1000n, 8_333_333n, 1_000_000_000n, 2n ** 38n, 2n ** 44n];
const BASES = [0n, -7n, MIN, MAX - 30_000n, 1_500_000_000_000_000_000n];

/** Points that are new to a stream, in any order. */
function batch(random: Random, base: bigint): RawColumns {
  const step = random.pick(STEPS), valueAt = random.pick(VALUES);
  const n = random.pick([random.int(1, 30), random.int(1, 900), random.int(1, 30_000)]);
  const repeat = random.pick([1, 1, 1, 3]), stride = random.pick([1, 1, 1, 7]);
  const kept: [bigint, number][] = [];
  for (let i = 0; i < (step === 0n ? Math.min(n, 200) : n); i++) {
    const time = base + BigInt(Math.floor(i * stride % n / repeat)) * step;
    if (time >= MIN && time < MAX) kept.push([time, valueAt(random, i)]);
  }
  return {
    times: BigInt64Array.from(kept, ([time]) => time),
    values: Float64Array.from(kept, ([, value]) => value),
  };
}

/** A stream, and times at which it changes. */
class History {
  readonly #random: Random;
  readonly #engine: Engine;
  readonly uuid: Uint8Array;
  readonly #base: bigint;
  readonly #edges: bigint[] = [MIN, MAX];

  constructor(random: Random, engine: Engine) {
    this.#random = random;
    this.#engine = engine;
    this.uuid = Uint8Array.from({ length: 16 }, () => random.int(0, 255));
    this.#base = random.pick(BASES);
  }

  async create(): Promise<void> {
    const { uuid } = this;
    const name = uuid.toHex();
    const tags = new Map([["name", name]]);
    await this.#engine.create({ uuid, collection: `h/${name}`, tags, annotations: new Map() });
  }

  /** A time at the edge of something, or beside it. */
  #edge(): bigint {
    const time = this.#random.pick(this.#edges) + BigInt(this.#random.int(-2, 2));
    return time < MIN ? MIN : time > MAX ? MAX : time;
  }

  range(): { start: bigint; end: bigint } {
    if (this.#random.chance(0.3)) return { start: MIN, end: MAX };
    const [a, b] = [this.#edge(), this.#edge()];
    if (a === b) return { start: MIN, end: MAX };
    return a < b ? { start: a, end: b } : { start: b, end: a };
  }

  async major(): Promise<bigint> {
    const about = { uuid: this.uuid, omitVersion: false, omitDescriptor: true };
    return (await this.#engine.streamInfo(about)).version!.major;
  }

  async version(): Promise<bigint> {
    if (this.#random.chance(0.4)) return 0n;
    return BigInt(this.#random.int(11, Math.max(11, Number(await this.major()))));
  }

  /** Makes a change. */
  async change(): Promise<void> {
    const random = this.#random, engine = this.#engine, { uuid } = this;
    const roll = random.next();
    if (roll < 0.6) {
      const columns = batch(random, random.chance(0.5) ? this.#base : this.#edge());
      const { times } = columns;
      if (times.length === 0) return;
      for (let i = 0; i < 6; i++) {
        this.#edges.push(random.pick([...times.subarray(-50), times[0]!]));
      }
      this.#edges.push(times[times.length >> 1]!);
      const mergePolicy = random.pick(["never", "never", "never", "replace", "retain"] as const);
      await engine.insert({ uuid, columns, mergePolicy });
    } else if (roll < 0.75) await engine.deleteRange({ uuid, ...this.range() });
    else if (roll < 0.95) await engine.flush(uuid);
    else if (roll < 0.98) {
      const major = Number(await this.major());
      await engine.prune(uuid, BigInt(random.int(1, major)));
    } else await engine.compact();
  }
}

/** An answer: points, or the code or status of the error. */
type Outcome = PointBits | { error: string };

async function outcomeOf(chunks: Promise<readonly { columns: RawColumns }[]>): Promise<Outcome> {
  try {
    const { times, values } = concatRaw((await chunks).map(({ columns }) => columns));
    return { times: [...times], values: bitsOf(values) };
  } catch (error) {
    assert(error instanceof BTrDBError, String(error));
    return { error: error.code === 0 ? error.status : String(error.code) };
  }
}

/** The points as the database has them, without blocks. */
function plain(engine: Engine, request: RangeRequest): Promise<Outcome> {
  return outcomeOf(Array.fromAsync(engine.rawValues(request)));
}

function assertSame(actual: Outcome, expected: Outcome, what: string): void {
  const text = (outcome: Outcome) =>
    "error" in outcome ? outcome.error : `${outcome.times.length} points`;
  assertEquals(text(actual), text(expected), what);
  if ("error" in actual || "error" in expected) return;
  const bad = actual.times.findIndex((time, i) =>
    time !== expected.times[i] || actual.values[i] !== expected.values[i]
  );
  assertEquals(bad, -1, `${what}: point ${bad}`);
}

/** Asks for blocks in a form that no client of ours uses, and reads the answer plainly. */
async function askOddly(
  random: Random,
  port: number,
  request: RangeRequest,
): Promise<{ outcome: Outcome; inBlocks: boolean }> {
  const odd = [
    () => field(1000, 0, random.pick([0n, 1n, 2n, 2n ** 32n, 2n ** 64n - 1n]), random.int(0, 4)),
    () => field(1000, 1, 1n),
    () => field(1000, 5, 1n),
    () => field(1000, 2, [1]),
    () => field(1000, 3, field(1, 0, 1n)),
    () => field(random.pick([1001, 1002, 999]), 0, 1n),
    () => field(1002, 2, [1, 2, 3]),
  ];
  const fields = Array.from({ length: random.int(0, 4) }, () => random.pick(odd)());
  const params = [...rawValuesParams({ ...request, version: request.version })];
  const message = Uint8Array.from(
    random.chance(0.5) ? [...fields, params].flat() : [
      params,
      ...fields,
    ].flat(),
  );
  const service = random.pick(["v5api", "grpcinterface"]);
  const response = await fetch(`http://127.0.0.1:${port}/${service}.BTrDB/RawValues`, {
    method: "POST",
    headers: { "content-type": GRPC_WEB_TYPE },
    body: Uint8Array.from([...messageHead(message.length), ...message]),
  });
  const body = await response.bytes();
  const all: PointBits = { times: [], values: [] };
  let inBlocks = false;
  const reader = new FrameReader(2 ** 26);
  for (let frame = reader.take(body); frame !== undefined; frame = reader.take(body)) {
    if (frame.isTrailers) {
      assertEquals(statusOf(frame.bytes), { code: 0, details: "" });
      continue;
    }
    const { code, times, values, hasBlocks } = referenceRaw(frame.bytes);
    if (code !== 0) return { outcome: { error: String(code) }, inBlocks };
    inBlocks ||= hasBlocks;
    for (const time of times) all.times.push(time);
    for (const value of values) all.values.push(value);
  }
  return { outcome: all, inBlocks };
}

Deno.test("rawValues over gRPC-Web: points in blocks are those of the database, bit by bit", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using engine = await openEngine({
      path: `${folder}/histories.btrdb`,
      durability: "relaxed",
      lateLimits: EAGER_LATE,
    });
    await using other = await openEngine({ lateLimits: LATE_LIMITS });
    const options = { port: 0, http: { port: 0 } };
    await using threaded = await serve(engine, { ...options, workers: 1 });
    await using single = await serve(engine, options);
    await using inMemory = await serve(other, options);
    const faults = { seed: 5, reset: 0.5, silence: 0, withinBytes: 60_000, delay: 0, delayMs: 1 };
    await using broken = new FaultProxy(single.httpPort!, faults);
    const retry = { initialDelayMs: 1, maxDelayMs: 2, attempts: 6, maxElapsedMs: 60_000 };
    const open = (port: number, protocol: "v4" | "v5") =>
      connectGrpcWeb({ addresses: [`grpc-web://127.0.0.1:${port}`], protocol, retry });
    const clients: Record<string, Endpoint> = {
      threaded: await open(threaded.httpPort!, "v5"),
      single: await open(single.httpPort!, "v4"),
      broken: await open(broken.port, "v5"),
      inMemory: await open(inMemory.httpPort!, "v5"),
    };
    let inBlocks = 0, runs = 0;
    try {
      for (const random of fuzzing("histories in blocks", RUNS, LIMIT_MS)) {
        runs++;
        const isOther = random.chance(0.3);
        const from = isOther ? other : engine;
        const history = new History(random, from);
        const { uuid } = history;
        await history.create();
        for (let i = random.int(1, 9); i > 0; i--) await history.change();
        for (let i = 0; i < 6; i++) {
          const name = isOther ? "inMemory" : random.pick(["threaded", "single", "broken"]);
          const request = { uuid, ...history.range(), version: await history.version() };
          const what = `${name} ${request.start} to ${request.end} at ${request.version}`;
          const expected = await plain(from, request);
          const chunks = clients[name]!.rawValues(request);
          const first = chunks.next();
          if (random.chance(0.3)) {
            // What changes once an answer has begun does not change it.
            await first.catch(() => {});
            const hasFirst = (await first.catch(() => undefined))?.value !== undefined;
            if (hasFirst && name !== "broken") await history.change();
          }
          const whole = async () => {
            const { value, done } = await first;
            return done === true ? [] : [value, ...await Array.fromAsync(chunks)];
          };
          const actual = await outcomeOf(whole());
          if (name === "broken" && "error" in actual && actual.error === "UNAVAILABLE") continue;
          assertSame(actual, expected, what);
        }
        const port = (isOther ? inMemory : random.pick([threaded, single])).httpPort!;
        for (let i = 0; i < 3; i++) {
          const request = { uuid, ...history.range(), version: await history.version() };
          const expected = await plain(from, request);
          const odd = await askOddly(random, port, request);
          assertSame(odd.outcome, expected, `oddly, ${request.start} to ${request.end}`);
          if (odd.inBlocks) inBlocks++;
        }
      }
    } finally {
      for (const client of Object.values(clients)) await client.close();
    }
    if (runs >= RUNS) assertGreater(inBlocks, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
