/**
 * Support for the cases of the contract.
 *
 * @module
 */

import type { BTrDB, CreateOptions, RawColumns, Stream } from "@btrdb/btrdb";
import { BTrDBError, ErrorCode } from "@btrdb/btrdb";
import { assertEquals, assertRejects } from "@std/assert";

/** One promise of the contract, held against every kind of database. */
export interface Case {
  name: string;
  run(t: Bench): Promise<void>;
}

/** Surroundings of a case: a database, and names that no other case uses. */
export class Bench {
  readonly db: BTrDB;
  readonly protocol: "v4" | "v5" | "embedded";
  /** Of the database, which is not what is spoken where a proxy is in between. */
  readonly features: "v4" | "v5" | "embedded";
  readonly collection: string;

  constructor(
    db: BTrDB,
    protocol: "v4" | "v5" | "embedded",
    features: "v4" | "v5" | "embedded" = protocol,
  ) {
    this.db = db;
    this.protocol = protocol;
    this.features = features;
    this.collection = `case-${crypto.randomUUID()}`;
  }

  /** A new stream, in a collection of this case. */
  async stream(points?: [bigint, number][], options: CreateOptions = {}): Promise<Stream> {
    const uuid = crypto.randomUUID();
    const tags = { name: uuid, ...options.tags };
    const stream = await this.db.create(uuid, this.collection, { ...options, tags });
    if (points !== undefined) await stream.insert(points);
    return stream;
  }
}

/** Columns from pairs. */
export function columns(pairs: readonly [bigint, number][]): RawColumns {
  return {
    times: BigInt64Array.from(pairs, ([time]) => time),
    values: Float64Array.from(pairs, ([, value]) => value),
  };
}

/** Pairs from columns. */
export function pairs({ times, values }: RawColumns): [bigint, number][] {
  return Array.from(times, (time, i) => [time, values[i]!]);
}

/** All points of a stream in a range. */
export async function read(
  stream: Stream,
  start: bigint,
  end: bigint,
  version?: bigint,
): Promise<[bigint, number][]> {
  return pairs(await stream.rawValues(start, end, { version }).collect());
}

/** `n` points, one every `step` ns from `start`, with values 0, 1, 2, … */
export function ramp(start: bigint, step: bigint, n: number): RawColumns {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => start + BigInt(i) * step),
    values: Float64Array.from({ length: n }, (_, i) => i),
  };
}

/** Codes by which a server says that it does not do something at all. */
export const UNSUPPORTED: ReadonlySet<number> = new Set<number>([
  ErrorCode.ObliterateDisabled,
  ErrorCode.NotImplemented,
  ErrorCode.OperationNotAllowed,
]);

/** The call must reject with this BTrDB code; that the server does not do it at all is passed on. */
export async function rejectsWith(
  code: number,
  call: () => Promise<unknown>,
  text?: string,
): Promise<BTrDBError> {
  const error = await assertRejects(call, BTrDBError, text);
  if (error.code !== code && UNSUPPORTED.has(error.code)) throw error;
  assertEquals(error.code, code, error.message);
  return error;
}
