/**
 * Records of samples as bytes.
 *
 * @module
 */

import type { ComtradeType } from "./configuration.ts";
import { type Quantized, sampleOf } from "./quantize.ts";

/** Writes records of one type. */
export interface RecordWriter {
  /** Bytes of a record; `undefined` where they differ. */
  readonly recordBytes: number | undefined;
  /**
   * Encodes records.
   *
   * @param row Number of the first one, from 0.
   * @param stamps Of the records.
   * @param columns Values by channel; what is no finite number is a missing sample.
   */
  encode(row: number, stamps: Float64Array, columns: readonly Float64Array[]): Uint8Array;
}

/** Tells whether a value is no sample. */
function isMissing(value: number): boolean {
  return value - value !== 0;
}

/** Records of one of the binary types. */
export function binaryRecords(
  type: Exclude<ComtradeType, "ASCII">,
  scales: readonly Quantized[],
): RecordWriter {
  const width = type === "BINARY" ? 2 : 4;
  const recordBytes = 8 + width * scales.length;
  return {
    recordBytes,
    encode(row, stamps, columns) {
      const bytes = new Uint8Array(recordBytes * stamps.length);
      const view = new DataView(bytes.buffer);
      for (let i = 0, at = 0; i < stamps.length; i++, at += recordBytes) {
        view.setUint32(at, row + i + 1, true);
        view.setUint32(at + 4, stamps[i]!, true);
      }
      for (const [channel, values] of columns.entries()) {
        const scale = scales[channel]!;
        for (let i = 0, at = 8 + channel * width; i < values.length; i++, at += recordBytes) {
          const value = values[i]!;
          if (type === "FLOAT32") view.setFloat32(at, isMissing(value) ? NaN : value, true);
          else if (type === "BINARY") {
            view.setInt16(at, isMissing(value) ? -0x8000 : sampleOf(value, scale), true);
          } else {
            view.setInt32(at, isMissing(value) ? -0x80000000 : sampleOf(value, scale), true);
          }
        }
      }
      return bytes;
    },
  };
}

/**
 * Records in ASCII. Missing samples are 99999, as in the edition of 1999: the edition of 2013 leaves
 * them out, which other programs fail on, while no sample of ours reaches that number.
 */
export function asciiRecords(scales: readonly Quantized[]): RecordWriter {
  return {
    recordBytes: undefined,
    encode(row, stamps, columns) {
      let text = "";
      for (let i = 0; i < stamps.length; i++) {
        text += `${row + i + 1},${stamps[i]}`;
        for (const [channel, values] of columns.entries()) {
          const value = values[i]!;
          text += isMissing(value) ? ",99999" : `,${sampleOf(value, scales[channel]!)}`;
        }
        text += "\r\n";
      }
      return new TextEncoder().encode(text);
    },
  };
}
