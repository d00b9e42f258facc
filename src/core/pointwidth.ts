/**
 * Pointwidths: windows of 2^p ns, aligned to multiples of 2^p ns since the Unix epoch.
 *
 * @module
 */

import { MAX_POINTWIDTH } from "./range.ts";
import { invalidType, outOfRange } from "./argument_error.ts";

/**
 * Largest pointwidth whose windows every server answers right: real servers begin those of 2^61 ns at
 * −2^60 (quirk `aligned-pw61`), and refuse larger ones before 1970.
 */
export const MAX_ALIGNED_POINTWIDTH = 60;

/**
 * The largest pointwidth whose windows are not longer than a duration: ⌊log2(ns)⌋, at most 63.
 *
 * @param ns Duration in ns, at least 1.
 * @returns The pointwidth, 0 to 63; its windows are `2n ** BigInt(p)` ns long.
 * @throws {TypeError} If `ns` is neither a `bigint` nor a `number`.
 * @throws {RangeError} If `ns` is below 1, or a `number` that is not a safe integer.
 *
 * @example The pointwidth for about a second
 * ```ts
 * import { pointwidthOf, SECOND } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pointwidthOf(SECOND), 29); // 2^29 ns = 0.54 s, 2^30 ns = 1.07 s
 * assertEquals(pointwidthOf(1), 0);
 * ```
 */
export function pointwidthOf(ns: bigint | number): number {
  if (typeof ns !== "bigint" && typeof ns !== "number") {
    throw invalidType(
      `Cannot find a pointwidth: ns is of type ${typeof ns}, expected a bigint or a number`,
    );
  }
  if (typeof ns === "number" && !Number.isSafeInteger(ns)) {
    throw outOfRange(
      `Cannot find a pointwidth: ns is ${ns}, expected a bigint or safe integer`,
    );
  }
  const duration = BigInt(ns);
  if (duration < 1n) {
    throw outOfRange(`Cannot find a pointwidth: ns is ${ns}, expected at least 1`);
  }
  return Math.min(duration.toString(2).length - 1, MAX_POINTWIDTH);
}
