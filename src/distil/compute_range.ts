/**
 * Calls the function of a definition, and checks what it returns.
 *
 * @module
 */

import { joinColumns } from "../client/joined_columns.ts";
import { allocRaw, emptyRaw, type RawColumns } from "../core/columns.ts";
import { describe } from "../core/describe.ts";
import { formatTime } from "../core/time.ts";
import type { DistilDefinition, DistilRange, DistilRows } from "./definition.ts";
import { between } from "./read_capped.ts";
import { clipped, type TimeRange } from "./time_ranges.ts";

/** Points of outputs. */
export interface Computed {
  /** Of each output, in the order of the definition. */
  outputs: RawColumns[];
  /** Points whose value was NaN. */
  leftOut: number;
}

/**
 * Computes the outputs of a range.
 *
 * @param definition Checked.
 * @param range Range of the outputs; the function gets the part that the points reach.
 * @param inputs Points of each input, in the order of the definition.
 * @throws {Error} If the function throws (its error is the `cause`), or returns something wrong.
 */
export async function computeRange(
  definition: DistilDefinition,
  range: TimeRange,
  inputs: readonly RawColumns[],
  signal: AbortSignal | undefined,
): Promise<Computed> {
  const { lookback = 0n, lookahead = 0n } = definition;
  const names = Object.keys(definition.outputs);
  const some = inputs.filter(({ times }) => times.length > 0);
  const none = (): Computed => ({ outputs: names.map(() => emptyRaw()), leftOut: 0 });
  if (some.length === 0) return none();
  const first = some.map(({ times }) => times[0]!).reduce((a, b) => a < b ? a : b);
  const last = some.map(({ times }) => times.at(-1)!).reduce((a, b) => a > b ? a : b);
  const reached = { start: first - lookahead, end: last + lookback + 1n };
  const wanted = clipped(reached, range);
  if (wanted === undefined) return none();
  let result: unknown;
  try {
    result = await definition.compute(rangeOf(definition, wanted, inputs, signal));
  } catch (cause) {
    signal?.throwIfAborted();
    const text = cause instanceof Error ? cause.message : String(cause);
    throw failure(definition, wanted, `compute failed: ${text}`, cause);
  }
  const problem = (text: string): Error => failure(definition, wanted, text);
  return checkedOutputs(names, wanted, result, problem);
}

function failure(
  { name }: DistilDefinition,
  { start, end }: TimeRange,
  text: string,
  cause?: unknown,
): Error {
  return new Error(
    `Cannot run ${JSON.stringify(name)} from ${formatTime(start)} to ${formatTime(end)}: ${text}`,
    cause === undefined ? undefined : { cause },
  );
}

function rangeOf(
  definition: DistilDefinition,
  { start, end }: TimeRange,
  inputs: readonly RawColumns[],
  signal: AbortSignal | undefined,
): DistilRange {
  const names = Object.keys(definition.inputs);
  return {
    start,
    end,
    inputs: Object.fromEntries(names.map((name, i) => [name, inputs[i]!])),
    signal,
    rows: (): DistilRows => {
      const { times, columns } = joinColumns(names.map((uuid) => ({ uuid })), names, inputs);
      return {
        times,
        values: Object.fromEntries(columns.map(({ label, values }) => [label, values])),
      };
    },
    clip: (columns) => between(columns, { start, end }),
  };
}

function checkedOutputs(
  names: readonly string[],
  range: TimeRange,
  result: unknown,
  problem: (text: string) => Error,
): Computed {
  if (typeof result !== "object" || result === null) {
    throw problem(`compute returned ${describe(result)}, expected an object of columns by name`);
  }
  const extra = Object.keys(result).find((name) => !names.includes(name));
  if (extra !== undefined) {
    throw problem(
      `compute returned ${JSON.stringify(extra)}, expected ${names.join(", ")} and nothing else`,
    );
  }
  let leftOut = 0;
  const outputs = names.map((name) => {
    const columns = (result as Record<string, RawColumns>)[name];
    const kept = checkedColumns(name, columns, range, problem);
    leftOut += columns!.times.length - kept.times.length;
    return kept;
  });
  return { outputs, leftOut };
}

/** The points of one output without those of value NaN. */
function checkedColumns(
  name: string,
  columns: RawColumns | undefined,
  { start, end }: TimeRange,
  problem: (text: string) => Error,
): RawColumns {
  const { times, values } = columns ?? {};
  if (!(times instanceof BigInt64Array) || !(values instanceof Float64Array)) {
    throw problem(
      `output ${name} is ${describe(columns)}, expected { times: BigInt64Array, values: ` +
        `Float64Array }`,
    );
  }
  const n = times.length;
  if (values.length !== n) {
    throw problem(`output ${name} has ${n} times and ${values.length} values, expected as many`);
  }
  let nan = 0;
  for (let i = 0; i < n; i++) {
    const [time, value] = [times[i]!, values[i]!];
    if (i > 0 && time < times[i - 1]!) {
      throw problem(`times[${i}] of output ${name} is ${time}, expected at least the one before`);
    }
    if (Number.isNaN(value)) nan++;
    else if (!Number.isFinite(value)) {
      throw problem(`values[${i}] of output ${name} is ${value}, expected a finite number or NaN`);
    }
  }
  const outside = n === 0 || times[0]! >= start ? n - 1 : 0;
  if (n > 0 && (times[outside]! < start || times[outside]! >= end)) {
    throw problem(
      `times[${outside}] of output ${name} is ${times[outside]} ` +
        `(${
          formatTime(times[outside]!)
        }), expected inside the range; range.clip leaves out the rest`,
    );
  }
  // Columns may be views of the inputs, or be used again by the function.
  if (nan === 0) return { times: times.slice(), values: values.slice() };
  const kept = allocRaw(n - nan);
  for (let i = 0, k = 0; i < n; i++) {
    if (Number.isNaN(values[i]!)) continue;
    kept.times[k] = times[i]!;
    kept.values[k++] = values[i]!;
  }
  return kept;
}
