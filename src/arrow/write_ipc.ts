/**
 * Columns to Arrow IPC streams, in the schemas of BTrDB's Arrow calls (docs/protocol.md, "Arrow"). Used by
 * the `./arrow` entry and, lazily, by the server.
 *
 * @module
 */

import { type Field, tableToIPC } from "@uwdata/flechette";
import { invalidType } from "../core/argument_error.ts";
import { checkObject } from "../core/check_object.ts";
import type { RawColumns, StatColumns } from "../core/columns.ts";
import { describe } from "../core/describe.ts";
import { atOnce } from "../core/pacer.ts";
import { invalid, quotedName } from "./arrow_error.ts";
import { checkColumns } from "./check_arguments.ts";
import { COLUMN_TABLES, decodeInSteps, MAX_METADATA_BYTES, OTHER_TABLES } from "./decode_ipc.ts";
import { isArrowMark } from "./file_footer.ts";
import { IpcFrames } from "./ipc_frames.ts";
import { MultiIpc } from "./multi_ipc.ts";
import {
  castTo,
  DOUBLE,
  type NamedColumn,
  rawNamed,
  statNamed,
  tableOf,
  TIME,
} from "./named_columns.ts";
import type { NamedValues } from "./table.ts";

/** Options of Arrow output. */
export interface IpcOptions {
  /**
   * IPC stream whose schema gives names and types of the columns, by position; empty: BTrDB's own
   * schema. float64 may become float32, a timestamp any zone or int64; what loses more is refused.
   */
  template?: Uint8Array | undefined;
}

/**
 * Raw points as a complete IPC stream: `time`, `value`.
 *
 * @param columns The points.
 * @throws {BTrDBError} 438 if the template is not for two such columns.
 */
export function rawToIpc(
  columns: RawColumns,
  options: IpcOptions = {},
): Uint8Array<ArrayBuffer> {
  checkObject("write Arrow", "options", options);
  const named = rawNamed(columns);
  return hasTemplate(options) ? encode(named, options) : rawFrames.fill(columns);
}

const rawFrames = new IpcFrames((columns) => encode(rawNamed(columns), {}));

/**
 * Windows as a complete IPC stream: `time`, `min`, `mean`, `max`, `count` and, if the columns have
 * it or it is asked for, `stddev`.
 *
 * @param columns The windows.
 * @param options `withStddev` says whether there is a column `stddev`, NaN where the source has
 * none.
 * @throws {BTrDBError} 438 if the template does not fit.
 */
export function statToIpc(
  columns: StatColumns,
  options: IpcOptions & { withStddev?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  checkObject("write Arrow", "options", options);
  return encode(statNamed(columns, options.withStddev), options);
}

/**
 * Rows of several streams as a complete IPC stream: `time`, then one column a stream.
 *
 * @param times Time of each row.
 * @param streams Their values, NaN where a stream has no point.
 * @throws {BTrDBError} 438 if the template does not fit.
 */
export function multiToIpc(
  times: BigInt64Array,
  streams: readonly NamedValues[],
  options: IpcOptions = {},
): Uint8Array<ArrayBuffer> {
  checkColumns({ times }, { times: BigInt64Array });
  if (!Array.isArray(streams)) {
    throw invalidType(`Cannot write Arrow: streams is ${describe(streams)}, expected an array`);
  }
  for (const stream of streams) checkColumns(stream, { values: Float64Array });
  const rows = streams.find(({ values }) => values.length !== times.length);
  if (rows !== undefined) {
    throw invalidType(
      `Cannot write Arrow: ${
        quotedName(rows.name)
      } has ${rows.values.length} values, expected ${times.length}`,
    );
  }
  const writer = multiIpc(streams.map(({ name }) => name), options);
  return atOnce(writer.write([times, ...streams.map(({ values }) => values)]));
}

/**
 * Writes rows of several streams in steps, as {@linkcode multiToIpc} does at once.
 *
 * @param names Names of the streams.
 * @throws {BTrDBError} 438 if the template does not fit.
 */
export function multiIpc(names: readonly string[], options: IpcOptions = {}): MultiIpc {
  checkObject("write Arrow", "options", options);
  return atOnce(multiIpcInSteps(names, options));
}

/** As {@linkcode multiIpc}, in steps: a template may have thousands of columns. Yields between them. */
export function* multiIpcInSteps(
  names: readonly string[],
  options: IpcOptions,
): Generator<undefined, MultiIpc> {
  const columns: NamedColumn[] = [{ name: "time", type: TIME, data: NO_TIMES }];
  for (const name of names) columns.push({ name, type: DOUBLE, data: NO_VALUES });
  if (!hasTemplate(options)) return new MultiIpc(columns);
  const fields = yield* templateFields(options.template, columns.length);
  yield;
  return new MultiIpc(castTo(columns, fields));
}

const NO_TIMES = new BigInt64Array(0);
const NO_VALUES = new Float64Array(0);

/** Encodes columns in the schema of a template, if there is one. */
function encode(
  columns: readonly NamedColumn[],
  options: IpcOptions,
): Uint8Array<ArrayBuffer> {
  checkObject("write Arrow", "options", options);
  const cast = hasTemplate(options)
    ? castTo(columns, atOnce(templateFields(options.template, columns.length)))
    : columns;
  return tableToIPC(tableOf(cast), { format: "stream" }) as Uint8Array<ArrayBuffer>;
}

/** Fields of a template; of one for far more columns only so much is read. Yields between steps. */
function* templateFields(
  template: Uint8Array,
  columns: number,
): Generator<undefined, readonly Field[]> {
  const maxTables = COLUMN_TABLES * columns + OTHER_TABLES;
  const maxBytes = MAX_METADATA_BYTES + COLUMN_BYTES * columns;
  const table = yield* decodeInSteps(schemaOf(template), { maxTables, maxBytes });
  return table.schema.fields;
}

/** Bytes of metadata that a column of a template may add. */
const COLUMN_BYTES = 1 << 10;

function hasTemplate(options: IpcOptions): options is { template: Uint8Array } {
  return options.template !== undefined && options.template.length > 0;
}

/** The first message of an IPC stream or file, which is its schema; the rest is not looked at. */
function schemaOf(bytes: Uint8Array): Uint8Array {
  const start = isArrowMark(bytes, 0) ? 8 : 0;
  if (bytes.length < start + 8) throw invalid("the bytes are no Arrow IPC stream");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getInt32(start, true);
  // Streams of Arrow before 0.15 have no marker before the length.
  const end = first === -1 ? start + 8 + view.getInt32(start + 4, true) : start + 4 + first;
  if (end <= start || end > bytes.length) throw invalid("the bytes are no Arrow IPC stream");
  return bytes.slice(start, end);
}
