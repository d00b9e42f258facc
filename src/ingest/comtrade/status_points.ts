/**
 * Points of status channels: most of them never change.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import type { SampleBlock } from "./samples.ts";

/** States that become points: the first, changes and the last; all; or none. */
export type StatusChoice = "changes" | "all" | "none";

/**
 * Points of a status channel in a block.
 *
 * @param channel Number of the channel, from 0.
 * @param times Of the records of the block.
 * @param before States in the record before the block; `undefined` if it is the first one.
 * @param isLast True if the block is the last one.
 */
export function changesOf(
  { words, rows }: SampleBlock,
  channel: number,
  times: BigInt64Array,
  before: Uint16Array | undefined,
  choice: StatusChoice,
  isLast: boolean,
): RawColumns {
  const step = words.length / rows;
  const [word, bit] = [channel >> 4, channel & 15];
  const stateAt = (row: number) => (words[row * step + word]! >> bit) & 1;
  if (choice === "all") {
    return {
      times: times.slice(),
      values: Float64Array.from({ length: rows }, (_, i) => stateAt(i)),
    };
  }
  const wanted: number[] = [];
  let state = before === undefined ? undefined : (before[word]! >> bit) & 1;
  for (let row = 0; row < rows; row++) {
    const now = stateAt(row);
    if (now === state) continue;
    wanted.push(row);
    state = now;
  }
  if (isLast && wanted.at(-1) !== rows - 1) wanted.push(rows - 1);
  return {
    times: BigInt64Array.from(wanted, (row) => times[row]!),
    values: Float64Array.from(wanted, stateAt),
  };
}
