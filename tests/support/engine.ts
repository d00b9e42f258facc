/** Shorthands for tests on an engine. */

import { concatRaw, type RawColumns } from "../../src/core/columns.ts";
import { BTrDBError } from "../../src/core/errors.ts";
import type { Engine } from "../../src/engine/mod.ts";
import { assert } from "@std/assert";

/** A uuid made of one byte. */
export function uuidOf(byte: number): Uint8Array {
  return new Uint8Array(16).fill(byte);
}

/** Makes a stream with the tag `name`. */
export async function createStream(engine: Engine, byte = 1): Promise<Uint8Array> {
  const uuid = uuidOf(byte);
  const tags = new Map([["name", `s${byte}`]]);
  await engine.create({ uuid, collection: "test", tags, annotations: new Map() });
  return uuid;
}

/** Makes streams, a point in each. */
export async function createFilled(engine: Engine, streams: number): Promise<Uint8Array[]> {
  const uuids: Uint8Array[] = [];
  for (let byte = 1; byte <= streams; byte++) {
    const uuid = await createStream(engine, byte);
    await engine.insert({ uuid, columns: columnsOf([[1, 1]]) });
    uuids.push(uuid);
  }
  return uuids;
}

/** Points as columns. */
export function columnsOf(points: readonly (readonly [number | bigint, number])[]): RawColumns {
  return {
    times: BigInt64Array.from(points, ([time]) => BigInt(time)),
    values: Float64Array.from(points, ([, value]) => value),
  };
}

/** `n` points, `step` ns apart. */
export function regular(n: number, base = 0n, step = 1_000_000n): RawColumns {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => base + BigInt(i) * step),
    values: Float64Array.from({ length: n }, (_, i) => i % 1000),
  };
}

/** All points of a stream at a version. */
export async function columnsAt(
  engine: Engine,
  uuid: Uint8Array,
  version = 0n,
): Promise<RawColumns> {
  const range = { uuid, start: -(2n ** 60n), end: 3n * 2n ** 60n - 1n, version };
  const chunks = await Array.fromAsync(engine.rawValues(range));
  return concatRaw(chunks.map((chunk) => chunk.columns));
}

/** All points of a stream at a version, as pairs. */
export async function pointsOf(
  engine: Engine,
  uuid: Uint8Array,
  version = 0n,
): Promise<[number, number][]> {
  const { times, values } = await columnsAt(engine, uuid, version);
  return Array.from(times, (time, i) => [Number(time), values[i]!]);
}

/** The error a promise rejects with, which must be ours. */
export async function rejection(promise: Promise<unknown>): Promise<BTrDBError> {
  const error = await promise.then(() => undefined, (error) => error);
  assert(error instanceof BTrDBError, `${error}`);
  return error;
}
