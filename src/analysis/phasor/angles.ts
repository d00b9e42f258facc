/**
 * Angles: wrapping, unwrapping, differences.
 *
 * @module
 */

import { checkTimes } from "../../kernel/arguments.ts";
import { describe } from "../../core/describe.ts";
import { type AngleOptions, checkColumns, halfTurn } from "./columns.ts";

/** Options of {@linkcode wrapAngles}. */
export interface WrapOptions extends AngleOptions {
  /** `"signed"` is above −180° up to 180°, `"positive"` from 0° to below 360°. @default {"signed"} */
  range?: "signed" | "positive" | undefined;
}

/** Options of {@linkcode unwrapAngles}. */
export interface UnwrapOptions extends AngleOptions {
  /** Time of each angle, ns, ascending: after a gap unwrapping begins anew. @default {undefined} */
  times?: BigInt64Array | undefined;
  /** A distance of more ns than this is a gap; with `times` only. @default {no gap} */
  over?: bigint | undefined;
}

/**
 * Angles brought into one turn. Values that are not finite become NaN.
 *
 * @param angles Angles.
 * @throws {TypeError | RangeError} If an argument is wrong.
 *
 * @example Both ranges
 * ```ts
 * import { wrapAngles } from "@btrdb/btrdb/phasor";
 * import { assertEquals } from "@std/assert";
 *
 * const angles = Float64Array.of(-190, 180, 370);
 * assertEquals([...wrapAngles(angles)], [170, 180, 10]);
 * assertEquals([...wrapAngles(angles, { range: "positive" })], [170, 180, 10]);
 * ```
 */
export function wrapAngles(angles: Float64Array, options: WrapOptions = {}): Float64Array {
  const action = "wrap angles";
  const half = halfTurn(action, options);
  checkColumns(action, { angles });
  const { range = "signed" } = options;
  if (range !== "signed" && range !== "positive") {
    throw new RangeError(
      `Cannot ${action}: range is ${describe(range)}, expected "signed" or "positive"`,
    );
  }
  const out = new Float64Array(angles.length);
  if (range === "signed") {
    for (let i = 0; i < out.length; i++) out[i] = wrapped(angles[i]!, half);
    return out;
  }
  for (let i = 0; i < out.length; i++) {
    const rest = angles[i]! % (2 * half);
    const turned = rest < 0 ? rest + 2 * half : rest;
    // A small negative angle may round up to the full turn.
    out[i] = turned === 2 * half ? 0 : turned + 0;
  }
  return out;
}

/** An angle above −half up to half. */
export function wrapped(angle: number, half: number): number {
  if (angle > -half && angle <= half) return angle;
  const rest = angle % (2 * half);
  return rest > half ? rest - 2 * half : rest <= -half ? rest + 2 * half : rest;
}

/**
 * Angles without jumps: whole turns are added so that each is within half a turn of the one before.
 * NaN stays NaN and is passed over. With `times` and `over` unwrapping begins anew after a gap, in
 * which nobody knows how many turns there were.
 *
 * @param angles Angles.
 * @throws {TypeError | RangeError} If an argument is wrong.
 *
 * @example Across the jump
 * ```ts
 * import { unwrapAngles } from "@btrdb/btrdb/phasor";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...unwrapAngles(Float64Array.of(170, -175, -150))], [170, 185, 210]);
 * ```
 */
export function unwrapAngles(angles: Float64Array, options: UnwrapOptions = {}): Float64Array {
  const action = "unwrap angles";
  const turn = 2 * halfTurn(action, options);
  checkColumns(action, { angles });
  const { times, over } = options;
  const isGap = gapTest(action, times, over, angles.length);
  const out = new Float64Array(angles.length);
  let turns = 0, before = NaN;
  for (let i = 0; i < angles.length; i++) {
    const angle = angles[i]!;
    if (isGap(i)) [turns, before] = [0, NaN];
    const jump = angle - before;
    // Whole turns are counted and multiplied, so that nothing adds up.
    if (jump > turn / 2 || jump < -turn / 2) turns -= Math.round(jump / turn);
    out[i] = angle + turns * turn;
    if (!Number.isNaN(angle)) before = angle;
  }
  return out;
}

/** Tells of an index whether there is a gap before it. */
function gapTest(
  action: string,
  times: BigInt64Array | undefined,
  over: bigint | undefined,
  length: number,
): (i: number) => boolean {
  if (over !== undefined && (typeof over !== "bigint" || over < 1n)) {
    throw new RangeError(`Cannot ${action}: over is ${describe(over)}, expected a bigint from 1`);
  }
  if (times === undefined) {
    if (over === undefined) return () => false;
    throw new TypeError(`Cannot ${action}: over is given without times`);
  }
  checkTimes(action, times);
  if (times.length !== length) {
    throw new RangeError(
      `Cannot ${action}: times has ${times.length} elements, expected ${length} as angles has`,
    );
  }
  if (over === undefined) return () => false;
  return (i) => i > 0 && times[i]! - times[i - 1]! > over;
}

/**
 * The difference `a − b` of angles, above −180° up to 180°.
 *
 * @param a Angles.
 * @param b Angles of the same moments.
 * @throws {TypeError | RangeError} If an argument is wrong.
 *
 * @example Between two buses
 * ```ts
 * import { angleDifference } from "@btrdb/btrdb/phasor";
 * import { assertEquals } from "@std/assert";
 *
 * const [a, b] = [Float64Array.of(179, 10), Float64Array.of(-179, -20)];
 * assertEquals([...angleDifference(a, b)], [-2, 30]);
 * ```
 */
export function angleDifference(
  a: Float64Array,
  b: Float64Array,
  options: AngleOptions = {},
): Float64Array {
  const action = "subtract angles";
  const half = halfTurn(action, options);
  checkColumns(action, { a, b });
  const out = new Float64Array(a.length);
  for (let i = 0; i < out.length; i++) out[i] = wrapped(a[i]! - b[i]!, half);
  return out;
}
