/**
 * Records of samples as columns, before scale and time.
 *
 * @module
 */

import type { ComtradeType } from "./configuration.ts";

/** Records that follow one another. */
export interface SampleBlock {
  /** Number of records. */
  readonly rows: number;
  /** Numbers of the records as they stand there; `NaN` where one is none. */
  readonly numbers: Float64Array;
  /** Stamps as they stand there; `NaN` where one is missing. */
  readonly stamps: Float64Array;
  /** Samples of each analog channel as they stand there; `NaN` where one is missing. */
  readonly analogs: readonly Float64Array[];
  /** States of the status channels, 16 a word, channel 1 in bit 0 of the first word of a record. */
  readonly words: Uint16Array;
  /** Beginning of the block and of what follows it, bytes from the beginning of the samples. */
  readonly from: number;
  readonly to: number;
  /** Lines before what follows the block; 0 where there are none. */
  readonly lines: number;
}

/** Shape of the records. */
export interface SampleShape {
  readonly type: ComtradeType;
  readonly analogs: number;
  readonly statuses: number;
}

/** Words of states in a record. */
export function wordsOf({ statuses }: SampleShape): number {
  return Math.ceil(statuses / 16);
}

/** Samples that are read from any of their records on. */
export interface Samples {
  /** Records; `undefined` where they must be read to be counted. */
  readonly records: number | undefined;
  /** Remarks on what was read although it is odd; more may come while it is read. */
  readonly notices: string[];
  /**
   * Reads blocks.
   *
   * @param from Bytes before the first record that is wanted.
   * @param lines Lines before it.
   * @param rows Records of a block, but the last.
   */
  blocks(from: number, lines: number, rows: number): AsyncGenerator<SampleBlock, void, void>;
  /** States in the record that ends at an offset; `undefined` at the beginning. */
  statesBefore(offset: number): Promise<Uint16Array | undefined>;
}
