/**
 * The points of several streams as columns of one table.
 *
 * @module
 */

import { describe } from "../core/describe.ts";
import { gatherRows, type RawColumns } from "../core/columns.ts";
import { mergeTimes } from "../kernel/merge_times.ts";
import type { RequestOptions } from "../core/request_options.ts";
import type { Stream } from "./stream.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";

/** One stream's column of a joined table. */
export interface JoinedColumn {
  /** Name of the column. */
  label: string;
  /** Uuid of the stream. */
  uuid: string;
  /** One value a row, NaN where the stream has no point at the time; points are never NaN. */
  values: Float64Array;
  /** Number of rows in which the stream has a point. */
  count: number;
}

/** Points of several streams side by side. */
export interface JoinedColumns {
  /** Time of each row, ns since the Unix epoch, UTC, ascending. */
  times: BigInt64Array;
  /** One column a stream, in their order. */
  columns: JoinedColumn[];
}

/** Options of tables made of a set. */
export interface SetTableOptions extends RequestOptions {
  /**
   * Names of the columns, one a stream.
   *
   * @default {undefined} `collection/name`; the uuid where there is no name or two are the same
   */
  labels?: readonly string[] | undefined;
}

/**
 * Names of columns: those given, or what the streams are called.
 *
 * @param action Name of the call, for the error.
 * @param streams The streams.
 * @param paths Names of the streams: `collection/name`, or the uuid.
 * @param labels Option of the caller.
 * @throws {TypeError} If `labels` is no array of strings.
 * @throws {RangeError} If there are not as many as streams, or two are the same.
 */
export function columnLabels(
  action: string,
  streams: readonly { readonly uuid: string }[],
  paths: readonly string[],
  labels: readonly string[] | undefined,
): string[] {
  const times = new Map<string, number>();
  for (const path of paths) times.set(path, (times.get(path) ?? 0) + 1);
  const names = labels === undefined
    ? paths.map((path, s) => times.get(path) === 1 ? path : streams[s]!.uuid)
    : [...labels];
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) {
      throw outOfRange(
        `Cannot ${action}: two columns are called ${
          JSON.stringify(name)
        }, expected different labels`,
      );
    }
    seen.add(name);
  }
  return names;
}

/** Checks labels before anything is asked. */
export function checkLabels(action: string, streams: number, labels: unknown): void {
  if (labels === undefined) return;
  if (!Array.isArray(labels)) {
    throw invalidType(`Cannot ${action}: labels is ${describe(labels)}, expected an array`);
  }
  labels.forEach((label, s) => {
    if (typeof label === "string") return;
    throw invalidType(
      `Cannot ${action}: labels[${s}] is ${describe(label)}, expected a string`,
    );
  });
  if (labels.length !== streams) {
    throw outOfRange(
      `Cannot ${action}: there are ${labels.length} labels, expected ${streams}, one per stream`,
    );
  }
}

/** Name of a stream: `collection/name`, or its uuid. */
export async function pathOf(stream: Stream, options: RequestOptions): Promise<string> {
  const { name } = await stream.tags(options);
  return typeof name === "string" ? `${await stream.collection(options)}/${name}` : stream.uuid;
}

/** Joins points by time: equal times share a row, duplicates inside a stream make further rows. */
export function joinColumns(
  streams: readonly { readonly uuid: string }[],
  labels: readonly string[],
  parts: readonly RawColumns[],
): JoinedColumns {
  const { times, rows } = mergeTimes(parts.map((part) => part.times));
  const columns = streams.map(({ uuid }, s): JoinedColumn => ({
    label: labels[s]!,
    uuid,
    values: gatherRows(rows[s]!, parts[s]!.values),
    count: parts[s]!.times.length,
  }));
  return { times, columns };
}
