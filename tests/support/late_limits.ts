/** Limits of late points for tests: points are kept beside a tree soon, and moved soon. */

import fc from "fast-check";
import { LATE_LIMITS, type LateLimits } from "../../src/engine/tree/late_plan.ts";

/** Limits that a short history reaches again and again. */
export const EAGER_LATE: LateLimits = {
  ratio: 1,
  leaves: 1,
  least: 200,
  most: 2000,
  part: 4,
  batch: 2,
  dense: 1,
};

/** Limits with which every point goes into the tree at once. */
export const NO_LATE_LIMITS: LateLimits = { ...LATE_LIMITS, leaves: Infinity };

/** Limits of all kinds. */
export const lateLimits: fc.Arbitrary<LateLimits> = fc.record({
  ratio: fc.constantFrom(0, 1, 4, 8),
  leaves: fc.constantFrom(1, 3),
  least: fc.constantFrom(0, 10, 300, 2000),
  most: fc.constantFrom(0, 50, 500, 1_000_000),
  part: fc.constantFrom(1, 32),
  batch: fc.constantFrom(1, 4, 16, Infinity),
  dense: fc.constantFrom(0, 4),
});
