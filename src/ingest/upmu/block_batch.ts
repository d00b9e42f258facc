/**
 * Points of some blocks of a µPMU.
 *
 * @module
 */

import { concatRaw, type RawColumns } from "../../core/columns.ts";
import { type BlockHeader, type BlockSeries, writeTimes, writeValues } from "./second_block.ts";

/** Collects the points of blocks. */
export class BlockBatch {
  readonly #series: readonly BlockSeries[];
  readonly #pieces: RawColumns[][];
  /** Number of blocks. */
  blocks = 0;

  constructor(series: readonly BlockSeries[]) {
    this.#series = series;
    this.#pieces = series.map(() => []);
  }

  /** Adds the points of a block; returns how many values are no finite number, and the first. */
  add(
    view: DataView,
    header: BlockHeader,
    isExpanded: boolean,
  ): { cells: number; first: string } {
    this.blocks++;
    const strange = { cells: 0, first: "" };
    const times = new BigInt64Array(header.readings);
    writeTimes(header, times);
    for (const [i, series] of this.#series.entries()) {
      if (series.isExpansion && !isExpanded) continue;
      const values = new Float64Array(header.readings);
      writeValues(view, series, header.readings, values);
      // NaN is a reading without a value.
      const infinite = values.filter((value) => Math.abs(value) === Infinity);
      if (infinite.length > 0 && strange.cells === 0) {
        strange.first = `${series.name} is ${infinite[0]}`;
      }
      strange.cells += infinite.length;
      this.#pieces[i]!.push(finite({ times, values }));
    }
    return strange;
  }

  /** The points of each series. */
  take(): RawColumns[] {
    return this.#pieces.map(concatRaw);
  }
}

/** Points without those whose value is no finite number. */
function finite({ times, values }: RawColumns): RawColumns {
  if (values.every(Number.isFinite)) return { times, values };
  const keep = (_: unknown, i: number): boolean => Number.isFinite(values[i]!);
  return { times: times.filter(keep), values: values.filter(keep) };
}
