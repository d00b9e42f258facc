/**
 * Definitions of derived streams: what they are made of, and how.
 *
 * @module
 */

import { Stream } from "../client/stream.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";
import type { RawColumns } from "../core/columns.ts";
import { describe } from "../core/describe.ts";

/** A stream to compute from: itself, its uuid, or `"collection/name"`. */
export type DistilInput = Stream | string;

/** A stream to compute, made if it is not there. */
export interface NewOutput {
  /** `"collection/name"`: the collection and the tag `name`. */
  path: string;
  /** Tag `unit` of a stream that is made. @default {undefined} none */
  unit?: string | undefined;
  /** Further tags of a stream that is made. @default {{}} */
  tags?: Readonly<Record<string, string>> | undefined;
  /** Annotations of a stream that is made; their keys do not begin with `distil.`. @default {{}} */
  annotations?: Readonly<Record<string, string>> | undefined;
}

/** A stream to compute: an existing one or its uuid, `"collection/name"`, or more about a new one. */
export type DistilOutput = Stream | string | NewOutput;

/** Points of all inputs in one table. */
export interface DistilRows<I extends string = string> {
  /** Time of each row, ns since the Unix epoch, UTC, ascending. */
  times: BigInt64Array;
  /** Values of each input, NaN where it has no point at the time. */
  values: Record<I, Float64Array>;
}

/** One range to compute. */
export interface DistilRange<I extends string = string> {
  /** First moment of the outputs wanted, ns since the Unix epoch, UTC. */
  readonly start: bigint;
  /** Their end, exclusive. */
  readonly end: bigint;
  /** Points of each input from `start − lookback` to before `end + lookahead`, in order of time. */
  readonly inputs: Readonly<Record<I, RawColumns>>;
  /** Aborted when the run is. */
  readonly signal: AbortSignal | undefined;
  /**
   * The inputs as one table: points of equal time share a row, and several points of an input at
   * the same time make several rows.
   */
  rows(): DistilRows<I>;
  /** The points from `start` to before `end` of columns in order of time; the rest is left out. */
  clip(columns: RawColumns): RawColumns;
}

/**
 * A definition of derived streams.
 *
 * @typeParam I Names of the inputs.
 * @typeParam O Names of the outputs.
 */
export interface DistilDefinition<I extends string = string, O extends string = string> {
  /** Name, for people, 1 to 200 bytes; the outputs carry it. */
  name: string;
  /** Version of the code, 1 to 200 bytes: whenever it changes everything is computed anew. */
  version: string;
  /** 1 to 64 streams to compute from, by names like `west` or `L1_MAG`. */
  inputs: Readonly<Record<I, DistilInput>>;
  /** 1 to 64 streams to compute, by name. They belong to this definition alone. */
  outputs: Readonly<Record<O, DistilOutput>>;
  /** An output depends on inputs at most so many ns before it. @default {0n} */
  lookback?: bigint | undefined;
  /** An output depends on inputs at most so many ns after it. @default {0n} */
  lookahead?: bigint | undefined;
  /**
   * Computes the outputs of a range. An output at a time `t` may depend on nothing but the inputs
   * from `t − lookback` to `t + lookahead`, both included, so that it does not matter into which
   * ranges the time is cut; where no input is in reach there is no output.
   *
   * @returns Columns of each output, times ascending and inside the range. A point whose value is
   * NaN is left out and counted.
   */
  compute(range: DistilRange<I>): Record<O, RawColumns> | Promise<Record<O, RawColumns>>;
}

/** Most inputs, and most outputs. */
const MAX_STREAMS = 64;
/** Names of inputs and outputs. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,39}$/;
/** Bytes of a name or version: an annotation holds 255. */
const MAX_TEXT_BYTES = 200;
/** Longest reach, ns: the length of the time axis. */
const MAX_REACH = 1n << 62n;

/**
 * Checks a definition.
 *
 * @throws {TypeError | RangeError} Naming the part that is wrong.
 */
export function checkDefinition(definition: DistilDefinition): void {
  const action = "distil";
  if (typeof definition !== "object" || definition === null) {
    throw invalidType(
      `Cannot ${action}: the definition is ${describe(definition)}, expected an object`,
    );
  }
  checkText(action, "name", definition.name);
  checkText(action, "version", definition.version);
  for (const kind of ["inputs", "outputs"] as const) checkStreams(action, kind, definition[kind]);
  for (const key of ["lookback", "lookahead"] as const) checkReach(action, key, definition[key]);
  if (typeof definition.compute !== "function") {
    throw invalidType(
      `Cannot ${action}: compute is ${describe(definition.compute)}, expected a function`,
    );
  }
}

function checkText(action: string, key: string, text: unknown): void {
  if (typeof text !== "string") {
    throw invalidType(`Cannot ${action}: ${key} is ${describe(text)}, expected a string`);
  }
  const { length } = new TextEncoder().encode(text);
  if (length < 1 || length > MAX_TEXT_BYTES || text.includes("\0")) {
    throw outOfRange(
      `Cannot ${action}: ${key} is ${describe(text)}, expected 1 to ${MAX_TEXT_BYTES} bytes ` +
        `without NUL`,
    );
  }
}

function checkStreams(action: string, kind: "inputs" | "outputs", streams: unknown): void {
  if (typeof streams !== "object" || streams === null || Array.isArray(streams)) {
    throw invalidType(
      `Cannot ${action}: ${kind} is ${describe(streams)}, expected an object of streams by name`,
    );
  }
  const entries = Object.entries(streams);
  if (entries.length < 1 || entries.length > MAX_STREAMS) {
    throw outOfRange(
      `Cannot ${action}: there are ${entries.length} ${kind}, expected 1 to ${MAX_STREAMS}`,
    );
  }
  for (const [name, stream] of entries) {
    if (!NAME.test(name)) {
      throw outOfRange(
        `Cannot ${action}: ${kind} has the name ${describe(name)}, expected a letter or _, and ` +
          `up to 39 letters, digits and _`,
      );
    }
    const isNew = kind === "outputs" && typeof (stream as NewOutput | null)?.path === "string";
    if (typeof stream === "string" || stream instanceof Stream || isNew) continue;
    const wanted = kind === "inputs"
      ? 'a stream, a uuid or "collection/name"'
      : 'a stream, a uuid, "collection/name" or { path }';
    throw invalidType(
      `Cannot ${action}: ${kind}.${name} is ${describe(stream)}, expected ${wanted}`,
    );
  }
}

function checkReach(action: string, key: string, reach: unknown): void {
  if (reach === undefined) return;
  if (typeof reach !== "bigint") {
    throw invalidType(`Cannot ${action}: ${key} is ${describe(reach)}, expected a bigint of ns`);
  }
  if (reach < 0n || reach > MAX_REACH) {
    throw outOfRange(`Cannot ${action}: ${key} is ${reach}, expected 0 to 2^62 ns`);
  }
}
