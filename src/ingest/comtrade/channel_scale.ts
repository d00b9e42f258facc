/**
 * Scales of channels: from samples to values on either side of the transformers.
 *
 * @module
 */

import type { AnalogChannel } from "./configuration.ts";
import type { ValueSide } from "./comtrade_options.ts";

/** From a sample to a value. */
export interface Scale {
  readonly a: number;
  readonly b: number;
  readonly ratio: number;
  readonly isUnknown: boolean;
}

/** The scale of a channel for values on the side that is wanted. */
export function scaleOf(
  { a, b, primary, secondary, side }: AnalogChannel,
  wanted: ValueSide,
): Scale {
  const isKnown = primary > 0 && secondary > 0 && side !== undefined;
  if (wanted === "as-is" || side === wanted) return { a, b, ratio: 1, isUnknown: false };
  if (!isKnown) return { a, b, ratio: 1, isUnknown: true };
  const ratio = wanted === "primary" ? primary / secondary : secondary / primary;
  return { a, b, ratio, isUnknown: false };
}
