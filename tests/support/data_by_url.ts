/** A server whose data are asked for by URL. */

import { assertEquals } from "@std/assert";
import { type BTrDB, connect, type Stream } from "@btrdb/btrdb";
import { openParquet } from "@btrdb/btrdb/parquet";
import { serve, type ServeOptions, type Server } from "../../src/server/mod.ts";

/** Time of the first point. */
export const T = 1_767_225_600_000_000_000n;
/** Time between two points, ns. */
export const SECOND = 1_000_000_000n;
/** Points of each stream. */
export const ROWS = 1000;

/** A server with two streams of 1,000 points a second apart, the second one a ns later. */
export interface Served {
  readonly db: BTrDB;
  readonly server: Server;
  readonly a: Stream;
  readonly b: Stream;
  /** Answer to a request. */
  get(path: string, init?: RequestInit): Promise<Response>;
  /** Text of an answer that must be 200. */
  text(path: string): Promise<string>;
  /** Status, code and message of a failure. */
  failure(path: string, init?: RequestInit): Promise<[number, number, string]>;
}

/** Runs `use` with a server of the two streams. */
export async function withData(
  use: (served: Served) => Promise<void>,
  options: ServeOptions = {},
): Promise<void> {
  await using db = await connect("memory:");
  await using server = await serve(db, { port: 0, http: { port: 0 }, ...options });
  const make = async (name: string, offset: bigint, scale: number) => {
    const stream = await db.create(crypto.randomUUID(), "pmu/s7", {
      tags: { name, unit: "volts" },
    });
    await stream.insert({
      times: BigInt64Array.from({ length: ROWS }, (_, i) => T + BigInt(i) * SECOND + offset),
      values: Float64Array.from({ length: ROWS }, (_, i) => (i - 500) * scale),
    });
    await stream.flush();
    return stream;
  };
  const [a, b] = [await make("a", 0n, 0.1), await make("b", 1n, 3)];
  const get = (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${server.httpPort}${path}`, init);
  await use({
    db,
    server,
    a,
    b,
    get,
    async text(path) {
      const response = await get(path);
      const text = await response.text();
      assertEquals([path, response.status, response.ok ? "" : text], [path, 200, ""]);
      return text;
    },
    async failure(path, init) {
      const response = await get(path, init);
      const { error: { status, code, message } } = await response.json();
      assertEquals(status, response.status);
      return [status, code, message];
    },
  });
}

/** Paths of one stream as CSV, and of both as Parquet. */
export const CSV = "/api/v1/data.csv?stream=pmu/s7/a";
export const PARQUET = "/api/v1/data.parquet?stream=pmu/s7/*";

/** Rows of a Parquet file, column by column. */
export async function columnsOf(
  bytes: Uint8Array,
): Promise<Record<string, { times: bigint[]; values: number[] }>> {
  const found: Record<string, { times: bigint[]; values: number[] }> = {};
  const source = {
    byteLength: bytes.length,
    slice: (start: number, end = bytes.length) => Promise.resolve(bytes.slice(start, end).buffer),
  };
  await using file = await openParquet(source);
  for await (const { columns } of file.batches()) {
    for (const { label, times, values } of columns) {
      found[label] ??= { times: [], values: [] };
      found[label].times.push(...times);
      found[label].values.push(...values);
    }
  }
  return found;
}
