/**
 * Checks of options of C37.118.
 *
 * @module
 */

import { describe } from "../../core/describe.ts";
import { outOfRange } from "../../core/argument_error.ts";

/** An option that must be a whole number in a range. */
export function integerOption(
  action: string,
  value: number,
  name: string,
  least: number,
  most: number,
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw outOfRange(
    `Cannot ${action}: ${name} is ${
      describe(value)
    }, expected a whole number from ${least} to ${most}`,
  );
}
