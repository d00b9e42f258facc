/**
 * Exporting streams as CSV in BTrDB's format (docs/protocol.md, "CSV"): the queries run here over
 * any endpoint, so that numbers can be exact, and nothing depends on what a server's own CSV does.
 *
 * @module
 */

import { cancellable } from "../core/cancellable.ts";
import { describe } from "../core/describe.ts";
import type { TimeLike } from "../core/time.ts";
import { uuidBytes, uuidText } from "../core/uuid.ts";
import {
  type CsvFormat,
  type CsvOpener,
  csvOpener,
  type CsvQueryKind,
  type CsvRequest,
  openCsv,
} from "../csv/answer.ts";
import type { CallOptions, Endpoint } from "../endpoint/endpoint.ts";
import { socketsSeen } from "../core/event_loop.ts";
import { checkCsvOptions } from "../kernel/format_csv.ts";
import type { CsvNumbers } from "../kernel/csv_text.ts";
import { openAligned } from "./aligned_windows.ts";
import {
  alignedRange,
  exponent,
  oneOf,
  servableRange,
  text,
  timeRange,
  versionNumber,
  windowCount,
  windowWidth,
} from "./arguments.ts";
import { type ByteSink, type ExportProgress, openSink } from "../csv/byte_sink.ts";
import { type RequestOptions, startCall } from "../core/request_options.ts";
import { throwIfOver } from "../core/call.ts";
import { openWindows } from "./windows.ts";
import { invalidType } from "../core/argument_error.ts";

export type { ByteSink, ExportProgress } from "../csv/byte_sink.ts";
export type { CsvNumbers } from "../kernel/csv_text.ts";

/** One stream of a CSV. */
export interface CsvStream {
  /** A stream, or its uuid. */
  stream: { readonly uuid: string } | string;
  /** Name of its columns. @default {the uuid} */
  label?: string | undefined;
  /** Version to read; 0 is the latest. @default {0n} */
  version?: bigint | undefined;
}

/** Options of all exports. */
export interface CsvExportOptions extends RequestOptions {
  /** First moment. */
  start: TimeLike;
  /** End, exclusive. */
  end: TimeLike;
  /** In the order of the columns; the same stream may come more than once. */
  streams: readonly CsvStream[];
  /**
   * True to add the version to the names of the columns: `label, ver. N`. @default {false}
   */
  includeVersions?: boolean | undefined;
  /**
   * `"shortest"` reads back to the same doubles; `"fixed6"` is what a BTrDB server writes (`%f`).
   *
   * @default {"shortest"}
   */
  numbers?: CsvNumbers | undefined;
  /**
   * Decimals of the seconds in the human-readable column, 0 as a BTrDB server writes it, or 9. The
   * column of nanoseconds is exact anyway.
   *
   * @default {0}
   */
  timeDigits?: 0 | 9 | undefined;
  /** True to leave a `WritableStream` open afterwards. @default {false} */
  preventClose?: boolean | undefined;
  /**
   * True to format a long export in a thread of its own, a `Worker`, while the next points are
   * read: about 1.5 times as fast, for about 1.5 times the memory. With more than 64 streams, and
   * where no worker can be started, as in Node.js or without the right to read this package's
   * modules, it goes on without.
   *
   * @default {false}
   */
  inThread?: boolean | undefined;
  /** Called after each piece of about a MiB. */
  onProgress?: ((progress: ExportProgress) => void) | undefined;
}

/** Options of `alignedWindowsToCSV`. */
export interface AlignedCsvOptions extends CsvExportOptions {
  /** Windows of 2^pointwidth ns. */
  pointwidth: number;
}

/** Options of `windowsToCSV`. */
export interface WindowsCsvOptions extends CsvExportOptions {
  /** Width of the windows, ns. */
  width: bigint | number;
  /** Accurate to 2^depth ns. @default {0} */
  depth?: number | undefined;
}

/** Options of `writeCSV`: raw points, aligned windows, or windows. */
export type WriteCsvOptions =
  | (CsvExportOptions & { queryType: "raw" })
  | (AlignedCsvOptions & { queryType: "aligned" })
  | (WindowsCsvOptions & { queryType: "windows" });

const ACTION = "write CSV";
const LF = 10, COMMA = 44;
/** Work between two turns of the event loop, ms. */
const SLICE_MS = 8;

/**
 * Exports streams as one CSV: a row for each time at which any of them has a point.
 *
 * Points of equal time share a row; duplicates inside a stream make further rows; where a stream
 * has nothing its cells are empty. Memory does not grow with the length. A file appears under its
 * name when it is complete, and not at all if anything fails.
 *
 * @param endpoint The database.
 * @param sink A path, a `file:` URL, a stream, which is closed at the end, or a function, see
 *   {@linkcode ByteSink}.
 * @param options Streams, range and format.
 * @returns Rows and bytes written.
 * @throws {TypeError | RangeError} If an option is wrong.
 * @throws {BTrDBError} If any of the queries fails.
 */
export async function writeCSV(
  endpoint: Endpoint,
  sink: ByteSink,
  options: WriteCsvOptions,
): Promise<ExportProgress> {
  const request = requestOf(options);
  const format: CsvFormat = {
    numbers: options.numbers ?? "shortest",
    timeDigits: options.timeDigits ?? 0,
  };
  checkCsvOptions(ACTION, format.numbers, format.timeDigits);
  checkSink(sink);
  const call = startCall(ACTION, options);
  await using answer = await openCsv(request, openerOf(endpoint, request, call), call.signal);
  if (answer.failure !== undefined) throw answer.failure;
  const out = await openSink(ACTION, sink, options.preventClose ?? false, call);
  const progress: ExportProgress = { rows: 0, bytes: 0 };
  try {
    const header = answer.header();
    await out.write(header);
    progress.bytes += header.length;
    const take = (view: Uint8Array): Promise<void> => {
      progress.bytes += view.length;
      progress.time = lastTime(view);
      return out.write(view);
    };
    let turnMs = performance.now();
    for await (const _ of answer.pour(format, take, options.inThread ?? false)) {
      throwIfOver(call, ACTION);
      progress.rows = answer.count;
      options.onProgress?.({ ...progress });
      if (performance.now() - turnMs < SLICE_MS) continue;
      await socketsSeen();
      turnMs = performance.now();
    }
    await out.finish();
  } catch (error) {
    await out.discard(error);
    throw error;
  }
  return progress;
}

/** The time of the last of some rows: their first cell. */
function lastTime(rows: Uint8Array): bigint {
  const from = rows.lastIndexOf(LF, -2) + 1;
  return BigInt(new TextDecoder().decode(rows.subarray(from, rows.indexOf(COMMA, from))));
}

/** The queries; windows go the same way as those of `Stream`. */
function openerOf(endpoint: Endpoint, request: CsvRequest, call: CallOptions): CsvOpener {
  const { query, start, end } = request;
  if (query.type === "raw") return csvOpener(endpoint, request, call);
  if (query.type === "aligned") {
    const { pointwidth } = query;
    return ({ uuid, version }) =>
      openAligned(endpoint, { uuid, version, start, end, pointwidth }, call);
  }
  const { width, depth } = query;
  const plan = { start, width, n: (end - start) / width, depth, compute: "auto" as const };
  return ({ uuid, version }) =>
    cancellable(call, (call) => openWindows(endpoint, { uuid, version, ...plan }, call));
}

function requestOf(options: WriteCsvOptions): CsvRequest {
  if (typeof options !== "object" || options === null) {
    throw invalidType(`Cannot ${ACTION}: options is ${describe(options)}, expected an object`);
  }
  const query = queryOf(options);
  const range = timeRange(ACTION, options.start, options.end);
  if (query.type === "windows") windowCount(ACTION, range, query.width);
  const asked = query.type === "raw"
    ? servableRange(ACTION, range)
    : query.type === "aligned"
    ? alignedRange(ACTION, range, query.pointwidth)
    : range;
  if (!Array.isArray(options.streams)) {
    throw invalidType(
      `Cannot ${ACTION}: streams is ${describe(options.streams)}, expected an array`,
    );
  }
  return {
    query,
    ...asked,
    includeVersions: options.includeVersions ?? false,
    streams: (options.streams as readonly CsvStream[]).map(streamOf),
  };
}

function queryOf(options: WriteCsvOptions): CsvQueryKind {
  oneOf(ACTION, options.queryType, "queryType", ["raw", "aligned", "windows"]);
  switch (options.queryType) {
    case "raw":
      return { type: "raw" };
    case "aligned":
      return { type: "aligned", pointwidth: exponent(ACTION, options.pointwidth, "pointwidth") };
    case "windows":
      return {
        type: "windows",
        width: windowWidth(ACTION, options.width),
        depth: exponent(ACTION, options.depth ?? 0, "depth"),
      };
  }
}

function streamOf(source: CsvStream, index: number): CsvRequest["streams"][number] {
  const name = `streams[${index}]`;
  if (typeof source !== "object" || source === null) {
    throw invalidType(`Cannot ${ACTION}: ${name} is ${describe(source)}, expected an object`);
  }
  const { stream, label, version = 0n } = source;
  const uuid = uuidBytes(typeof stream === "object" ? stream?.uuid : stream, `${name}.stream`);
  return {
    uuid,
    label: label === undefined ? uuidText(uuid) : text(ACTION, label, `${name}.label`),
    version: versionNumber(ACTION, version, `${name}.version`),
  };
}

function checkSink(sink: ByteSink): void {
  if (typeof sink === "string" || typeof sink === "function" || sink instanceof URL) return;
  if (typeof (sink as WritableStream | null)?.getWriter === "function") return;
  throw invalidType(
    `Cannot ${ACTION}: sink is ${
      describe(sink)
    }, expected a path, a file: URL, a WritableStream or a function`,
  );
}
