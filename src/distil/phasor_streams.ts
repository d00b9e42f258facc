/**
 * Definitions of derived streams of phasors, ready to use: differences of angles, frequency, power
 * and symmetrical components.
 *
 * @module
 */

import { angleDifference as subtractAngles } from "../analysis/phasor/angles.ts";
import type { AngleUnit, PolarColumns } from "../analysis/phasor/columns.ts";
import { frequencyOf, rocofOf } from "../analysis/phasor/frequency.ts";
import { powerOf } from "../analysis/phasor/power.ts";
import { symmetricalComponents } from "../analysis/phasor/sequence.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";
import { checkObject } from "../core/check_object.ts";
import type { RawColumns } from "../core/columns.ts";
import { describe } from "../core/describe.ts";
import type { DistilDefinition, DistilInput, DistilOutput, DistilRange } from "./definition.ts";

/** Versions of the code in this file: changed with what it computes. */
const CODE = 1;

/** Options of all ready definitions. */
export interface ReadyOptions {
  /** Name of the definition. @default {the kind, and the path or uuid of the first output} */
  name?: string | undefined;
  /** Unit of all angles. @default {"degrees"} */
  unit?: AngleUnit | undefined;
}

/** The two streams of a phasor. */
export interface PolarStreams<T = DistilInput> {
  /** Magnitudes. */
  magnitude: T;
  /** Angles. */
  angle: T;
}

/** Options of {@linkcode angleDifference}. */
export interface AngleDifferenceOptions extends ReadyOptions {
  /** Angles from which `b` is subtracted. */
  a: DistilInput;
  /** Angles that are subtracted. */
  b: DistilInput;
  /** The stream of `a − b`. */
  difference: DistilOutput;
}

/** Options of {@linkcode frequency}. */
export interface FrequencyStreamOptions extends ReadyOptions {
  /** Angles of a synchrophasor. */
  angle: DistilInput;
  /** The stream of the frequency in Hz. */
  frequency: DistilOutput;
  /** The stream of its rate of change in Hz/s. @default {undefined} none */
  rocof?: DistilOutput | undefined;
  /** Frequency at which the angle stands still, Hz: 50 or 60. */
  nominal: number;
  /** A distance of more ns than this is a gap: one and a half periods of the reporting rate. */
  over: bigint;
}

/** Options of {@linkcode power}; at least one output. */
export interface PowerStreamOptions extends ReadyOptions {
  /** Phasors of the voltage. */
  voltage: PolarStreams;
  /** Phasors of the current. */
  current: PolarStreams;
  /** 1 for one phase, 3 for all three of a balanced system. @default {1} */
  phases?: 1 | 3 | undefined;
  /** The stream of the active power. @default {undefined} none */
  active?: DistilOutput | undefined;
  /** The stream of the reactive power. @default {undefined} none */
  reactive?: DistilOutput | undefined;
  /** The stream of the apparent power. @default {undefined} none */
  apparent?: DistilOutput | undefined;
  /** The stream of the power factor, without a point where no power flows. @default {undefined} none */
  powerFactor?: DistilOutput | undefined;
}

/** Options of {@linkcode sequence}; at least one output. */
export interface SequenceStreamOptions extends ReadyOptions {
  /** Phasors of the first phase. */
  a: PolarStreams;
  /** Phasors of the second phase, 120° behind it in a balanced system. */
  b: PolarStreams;
  /** Phasors of the third phase. */
  c: PolarStreams;
  /** The streams of the positive sequence. @default {undefined} none */
  positive?: PolarStreams<DistilOutput> | undefined;
  /** The streams of the negative sequence. @default {undefined} none */
  negative?: PolarStreams<DistilOutput> | undefined;
  /** The streams of the zero sequence. @default {undefined} none */
  zero?: PolarStreams<DistilOutput> | undefined;
}

/**
 * The difference `a − b` of two streams of angles, above −180° up to 180°, at the times at which both
 * have a point.
 *
 * @example Between two buses
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { angleDifference, distil } from "@btrdb/btrdb/distil";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * for (const [name, angle] of [["a", 170], ["b", -170]] as const) {
 *   const stream = await db.create(crypto.randomUUID(), "pmu", { tags: { name } });
 *   await stream.insert([[0n, angle]]);
 * }
 * await distil(db, angleDifference({ a: "pmu/a", b: "pmu/b", difference: "derived/a-b" })).run();
 * const [difference] = await Array.fromAsync(db.lookupStreams("derived"));
 * assertEquals((await difference!.latest())?.value, -20);
 * ```
 */
export function angleDifference(options: AngleDifferenceOptions): DistilDefinition {
  checkObject("distil", "options", options);
  const { a, b, difference, unit } = options;
  return {
    ...titled("angle-difference", { difference }, options),
    inputs: { a, b },
    compute: (range) => {
      const { times, columns } = completeRows(range);
      const values = subtractAngles(columns("a"), columns("b"), { unit });
      return { difference: { times, values } };
    },
  };
}

/**
 * Frequency, and its rate of change, from a stream of synchrophasor angles, as `frequencyOf` and
 * `rocofOf` of `@btrdb/btrdb/phasor` compute them. Of several points of the same time the first
 * counts.
 */
export function frequency(options: FrequencyStreamOptions): DistilDefinition {
  checkObject("distil", "options", options);
  const { angle, rocof, nominal, over, unit } = options;
  if (typeof over !== "bigint" || over < 1n) {
    throw invalidType(
      `Cannot distil: over is ${describe(over)}, expected a bigint of ns from 1`,
    );
  }
  if (typeof nominal !== "number" || !(nominal > 0 && nominal < Infinity)) {
    throw outOfRange(
      `Cannot distil: nominal is ${describe(nominal)}, expected a finite number above 0`,
    );
  }
  const outputs = present({ frequency: options.frequency, rocof });
  // A rate of change takes the frequencies of the neighbours, and those the angles of theirs.
  const reach = rocof === undefined ? over : 2n * over;
  return {
    ...titled("frequency", outputs, options, `nominal=${nominal} over=${over}`),
    inputs: { angle },
    lookback: reach,
    lookahead: reach,
    compute: ({ inputs, clip }) => {
      const hertz = frequencyOf(distinct(inputs["angle"]!), { nominal, over, unit });
      if (rocof === undefined) return { frequency: clip(hertz) };
      return { frequency: clip(hertz), rocof: clip(rocofOf(hertz, { over })) };
    },
  };
}

/**
 * Power from streams of the phasors of a voltage and a current, at the times at which all four have a
 * point, as `powerOf` of `@btrdb/btrdb/phasor` computes it.
 */
export function power(options: PowerStreamOptions): DistilDefinition {
  checkObject("distil", "options", options);
  const { voltage, current, phases = 1, unit, active, reactive, apparent, powerFactor } = options;
  if (phases !== 1 && phases !== 3) {
    throw outOfRange(`Cannot distil: phases is ${describe(phases)}, expected 1 or 3`);
  }
  const outputs = present({ active, reactive, apparent, powerFactor });
  return {
    ...titled("power", outputs, options, `phases=${phases}`),
    inputs: { ...polarInputs("voltage", voltage), ...polarInputs("current", current) },
    compute: (range) => {
      const { times, polar } = completeRows(range);
      const powers = powerOf(polar("voltage"), polar("current"), { phases, unit });
      return chosen(outputs, (name) => ({ times, values: powers[name as keyof typeof powers] }));
    },
  };
}

/**
 * Symmetrical components of the phasors of three phases, at the times at which all have a point, as
 * `symmetricalComponents` of `@btrdb/btrdb/phasor` computes them.
 */
export function sequence(options: SequenceStreamOptions): DistilDefinition {
  checkObject("distil", "options", options);
  const { a, b, c, positive, negative, zero, unit } = options;
  const outputs = present({
    ...polarOutputs("positive", positive),
    ...polarOutputs("negative", negative),
    ...polarOutputs("zero", zero),
  });
  return {
    ...titled("sequence", outputs, options),
    inputs: { ...polarInputs("a", a), ...polarInputs("b", b), ...polarInputs("c", c) },
    compute: (range) => {
      const { times, polar } = completeRows(range);
      const parts = symmetricalComponents(polar("a"), polar("b"), polar("c"), { unit });
      return chosen(outputs, (name) => {
        const [part, quantity] = name.split("_") as [keyof typeof parts, keyof PolarColumns];
        return { times, values: parts[part][quantity] };
      });
    },
  };
}

/** Name, version and outputs; whatever changes the values is part of the version. */
function titled(
  kind: string,
  outputs: Record<string, DistilOutput>,
  { name, unit = "degrees" }: ReadyOptions,
  rules = "",
): Pick<DistilDefinition, "name" | "version" | "outputs"> {
  const [first] = Object.values(outputs);
  if (first === undefined) {
    throw invalidType(`Cannot distil: ${kind} has no output, expected at least one`);
  }
  if (unit !== "degrees" && unit !== "radians") {
    throw outOfRange(
      `Cannot distil: unit is ${describe(unit)}, expected "degrees" or "radians"`,
    );
  }
  const path = typeof first === "string" ? first : "uuid" in first ? first.uuid : first.path;
  const version = [`${kind} ${CODE}`, unit, rules].filter((text) => text !== "").join(" ");
  return { name: name ?? `${kind} ${path}`, version, outputs };
}

function present(outputs: Record<string, DistilOutput | undefined>): Record<string, DistilOutput> {
  return Object.fromEntries(
    Object.entries(outputs).filter((entry): entry is [string, DistilOutput] =>
      entry[1] !== undefined
    ),
  );
}

function polarInputs(name: string, streams: PolarStreams): Record<string, DistilInput> {
  if (typeof streams !== "object" || streams === null) {
    throw invalidType(
      `Cannot distil: ${name} is ${describe(streams)}, expected { magnitude, angle }`,
    );
  }
  return { [`${name}_magnitude`]: streams.magnitude, [`${name}_angle`]: streams.angle };
}

function polarOutputs(
  name: string,
  streams: PolarStreams<DistilOutput> | undefined,
): Record<string, DistilOutput> {
  if (streams === undefined) return {};
  return { [`${name}_magnitude`]: streams.magnitude, [`${name}_angle`]: streams.angle };
}

function chosen(
  outputs: Record<string, DistilOutput>,
  columns: (name: string) => RawColumns,
): Record<string, RawColumns> {
  return Object.fromEntries(Object.keys(outputs).map((name) => [name, columns(name)]));
}

/** The rows in which every input has a point. */
function completeRows(range: DistilRange): {
  times: BigInt64Array;
  columns: (name: string) => Float64Array;
  polar: (name: string) => PolarColumns;
} {
  const rows = range.rows();
  const kept = completeIndices(rows.times.length, Object.values(rows.values));
  const columns = (name: string): Float64Array => {
    const values = rows.values[name]!;
    if (kept.length === values.length) return values;
    const out = new Float64Array(kept.length);
    for (let i = 0; i < out.length; i++) out[i] = values[kept[i]!]!;
    return out;
  };
  return {
    times: timesAt(rows.times, kept),
    columns,
    polar: (name) => ({
      magnitude: columns(`${name}_magnitude`),
      angle: columns(`${name}_angle`),
    }),
  };
}

/** Indices of the rows in which no column has NaN. */
function completeIndices(rows: number, columns: readonly Float64Array[]): Int32Array {
  const kept = new Int32Array(rows);
  let n = 0;
  for (let r = 0; r < rows; r++) {
    let sum = 0;
    for (let c = 0; c < columns.length; c++) sum += columns[c]![r]! * 0; // NaN stays NaN, stored values are finite.
    if (sum === 0) kept[n++] = r;
  }
  return kept.subarray(0, n);
}

function timesAt(times: BigInt64Array, indices: Int32Array): BigInt64Array {
  if (indices.length === times.length) return times;
  const out = new BigInt64Array(indices.length);
  for (let i = 0; i < out.length; i++) out[i] = times[indices[i]!]!;
  return out;
}

/** The first point of each time. */
function distinct({ times, values }: RawColumns): RawColumns {
  const kept: number[] = [];
  for (let i = 0; i < times.length; i++) {
    if (i === 0 || times[i] !== times[i - 1]) kept.push(i);
  }
  if (kept.length === times.length) return { times, values };
  return {
    times: BigInt64Array.from(kept, (i) => times[i]!),
    values: Float64Array.from(kept, (i) => values[i]!),
  };
}
