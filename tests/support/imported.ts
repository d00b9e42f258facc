/**
 * Imports into a database in memory, and everything that is in it afterwards.
 *
 * @module
 */

import { connect } from "../../mod.ts";
import { importFile, type ImportInput, type ImportOptions } from "../../src/ingest/mod.ts";

/** Points of streams by path: time as RFC 3339, and value. */
export type PointsByPath = Record<string, [string, number][]>;

/** Result of {@linkcode imported}. */
export interface Imported {
  points: PointsByPath;
  warnings: readonly string[];
  skipped: { rows: number; cells: number };
  omitted: readonly { name: string; reason: string }[];
}

/** Imports something into a database in memory and reads everything; streams are `f/NAME`. */
export async function imported(input: ImportInput, options: ImportOptions = {}): Promise<Imported> {
  await using db = await connect("memory:");
  const stateFolder = await Deno.makeTempDir();
  try {
    const { streams, ...summary } = await importFile(db, input, {
      into: "f",
      stateFolder,
      ...options,
    });
    const points: PointsByPath = {};
    for (const { uuid, path } of streams) {
      const stream = db.streamFromUUID(uuid);
      const { times, values } = await stream.rawValues(-(1n << 60n), 3n << 60n).collect();
      points[path] = [...times].map((time, i) => [instant(time), values[i]!]);
    }
    return { ...summary, points };
  } finally {
    await Deno.remove(stateFolder, { recursive: true });
  }
}

/** Imports text as a file of which all is there. */
export async function importedText(
  text: string,
  options: ImportOptions = {},
): Promise<Imported> {
  return await imported(new TextEncoder().encode(text), options);
}

/** A time as RFC 3339 with as many digits as it has. */
export function instant(ns: bigint): string {
  return Temporal.Instant.fromEpochNanoseconds(ns).toString();
}

/** Times of a stream, by default the first one. */
export function timesOf(points: PointsByPath, path: string = Object.keys(points)[0]!): string[] {
  return points[path]!.map(([time]) => time);
}

/** Values of a stream, by default the first one. */
export function valuesOf(points: PointsByPath, path: string = Object.keys(points)[0]!): number[] {
  return points[path]!.map(([, value]) => value);
}
