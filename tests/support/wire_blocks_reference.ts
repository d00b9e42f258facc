/**
 * A plain reading of answers to `RawValues` that may have points in blocks (docs/protocol.md, "Points
 * in blocks"): whatever it throws at is malformed.
 *
 * @module
 */

import { MAX_POINTS_IN_BLOCKS } from "../../src/core/point_blocks.ts";
import { readBlocks } from "./block_reference.ts";
import { fields, pointBits } from "./wire_reference.ts";

/** Points as bits, so that −0 and 0 differ. */
export interface PointBits {
  times: bigint[];
  values: bigint[];
}

/** The bits of doubles. */
export function bitsOf(values: Float64Array): bigint[] {
  return [...new BigUint64Array(values.slice().buffer)];
}

/** A message of an answer. */
export interface RawMessage extends PointBits {
  code: number;
  major: bigint;
  hasBlocks: boolean;
}

/** Reads a `RawValuesResponse`. */
export function referenceRaw(bytes: Uint8Array): RawMessage {
  const message: RawMessage = { code: 0, major: 0n, hasBlocks: false, times: [], values: [] };
  let announced: bigint | undefined;
  for (const { number, wire, value } of fields(bytes)) {
    if (number === 1 && wire === 2) {
      for (const inner of fields(value as Uint8Array)) {
        if (inner.number !== 1 || inner.wire !== 0) continue;
        message.code = Number(BigInt.asUintN(32, inner.value as bigint));
      }
    } else if (number === 2 && wire === 0) message.major = value as bigint;
    else if (number === 4 && wire === 2) {
      const [time, bits] = pointBits(value as Uint8Array, 2) as [bigint, bigint];
      message.times.push(BigInt.asIntN(64, time));
      message.values.push(bits);
    } else if (number === 1001 && wire === 0) announced = value as bigint;
    else if (number === 1002 && wire === 2) {
      if (message.hasBlocks) throw new Error("blocks come twice");
      message.hasBlocks = true;
      takeBlocks(message, value as Uint8Array, announced ?? 0n);
      announced = undefined;
    }
  }
  if (announced !== undefined) throw new Error("blocks are missing");
  return message;
}

function takeBlocks(into: PointBits, bytes: Uint8Array, points: bigint): void {
  if (points < 1n || points > BigInt(MAX_POINTS_IN_BLOCKS)) throw new Error(`${points} points`);
  const { times, values } = readBlocks(bytes, Number(points));
  if (times.some((time, i) => i > 0 && times[i - 1]! > time)) throw new Error("not in order");
  if (!values.every(Number.isFinite)) throw new Error("not finite");
  into.times.push(...times);
  into.values.push(...bitsOf(values));
}
