/**
 * Samples in BINARY, BINARY32 and FLOAT32: little endian, records of one length.
 *
 * @module
 */

import type { RandomBytes } from "./random_bytes.ts";
import { type SampleBlock, type Samples, type SampleShape, wordsOf } from "./samples.ts";

/** Stamp that stands for none. */
const NO_STAMP = 0xffffffff;

/** Character that some programs write behind the last record. */
const SUB = 0x1a;

/** Bytes of a number and of an analog sample. */
const SAMPLE_BYTES = { BINARY: 2, BINARY32: 4, FLOAT32: 4 } as const;

type BinaryShape = SampleShape & { readonly type: keyof typeof SAMPLE_BYTES };

/** Samples in one of the binary forms. */
export class BinarySamples implements Samples {
  readonly records: number;
  readonly notices: string[] = [];
  readonly #bytes: RandomBytes;
  readonly #shape: BinaryShape;
  readonly #length: number;

  /** True if 0xFFFF is a missing sample too, by channel. */
  readonly #hasOnes: readonly boolean[];

  private constructor(bytes: RandomBytes, shape: SampleShape, hasOnes: readonly boolean[]) {
    this.#hasOnes = hasOnes;
    this.#bytes = bytes;
    this.#shape = shape as BinaryShape;
    this.#length = 8 + SAMPLE_BYTES[this.#shape.type] * shape.analogs + 2 * wordsOf(shape);
    this.records = Math.floor(bytes.size / this.#length);
  }

  /**
   * Opens samples: looks at what is behind the last whole record.
   *
   * @param hasOnes By channel, true if 0xFFFF is a missing sample too: in the edition of 1991, where
   *   -1 is not between the smallest and the largest sample.
   */
  static async open(
    bytes: RandomBytes,
    shape: SampleShape,
    hasOnes: readonly boolean[] = [],
  ): Promise<BinarySamples> {
    const samples = new BinarySamples(bytes, shape, hasOnes);
    const whole = samples.records * samples.#length;
    const rest = await bytes.read(whole, bytes.size - whole);
    if (rest.length > 0 && !rest.every((byte) => byte === SUB)) {
      samples.notices.push(
        `${rest.length} bytes at the end are no whole record of ${samples.#length} bytes`,
      );
    }
    return samples;
  }

  async *blocks(from: number, _lines: number, rows: number): AsyncGenerator<SampleBlock> {
    const end = this.records * this.#length;
    for (let at = from; at < end;) {
      const length = Math.min(rows * this.#length, end - at);
      const bytes = await this.#bytes.read(at, length);
      if (bytes.length < length) throw new RangeError("The file became shorter while it was read");
      yield this.#decode(bytes, at);
      at += length;
    }
  }

  async statesBefore(offset: number): Promise<Uint16Array | undefined> {
    if (offset < this.#length) return undefined;
    return this.#decode(await this.#bytes.read(offset - this.#length, this.#length), 0).words;
  }

  #decode(bytes: Uint8Array, from: number): SampleBlock {
    const { type, analogs: count } = this.#shape;
    const [length, words] = [this.#length, wordsOf(this.#shape)];
    const rows = bytes.length / length;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const [numbers, stamps] = [new Float64Array(rows), new Float64Array(rows)];
    for (let row = 0, at = 4; row < rows; row++, at += length) {
      numbers[row] = view.getUint32(at - 4, true);
      const stamp = view.getUint32(at, true);
      stamps[row] = stamp === NO_STAMP ? NaN : stamp;
    }
    const read = type === "BINARY" ? readInt16 : type === "BINARY32" ? readInt32 : readFloat32;
    const analogs: Float64Array[] = [];
    for (let channel = 0; channel < count; channel++) {
      const column = read(view, 8 + channel * SAMPLE_BYTES[type], length, rows);
      if (this.#hasOnes[channel] === true) {
        for (let row = 0; row < rows; row++) if (column[row] === -1) column[row] = NaN;
      }
      analogs.push(column);
    }
    const states = new Uint16Array(rows * words);
    const first = 8 + count * SAMPLE_BYTES[type];
    for (let row = 0, to = 0; row < rows; row++) {
      for (let word = 0, at = row * length + first; word < words; word++, at += 2) {
        states[to++] = view.getUint16(at, true);
      }
    }
    return {
      rows,
      numbers,
      stamps,
      analogs,
      words: states,
      from,
      to: from + bytes.length,
      lines: 0,
    };
  }
}

/** Missing samples: the smallest integer, and in FLOAT32 whatever is no number. */
function readInt16(view: DataView, from: number, step: number, rows: number): Float64Array {
  const values = new Float64Array(rows);
  for (let row = 0, at = from; row < rows; row++, at += step) {
    const value = view.getInt16(at, true);
    values[row] = value === -0x8000 ? NaN : value;
  }
  return values;
}

function readInt32(view: DataView, from: number, step: number, rows: number): Float64Array {
  const values = new Float64Array(rows);
  for (let row = 0, at = from; row < rows; row++, at += step) {
    const value = view.getInt32(at, true);
    values[row] = value === -0x80000000 ? NaN : value;
  }
  return values;
}

function readFloat32(view: DataView, from: number, step: number, rows: number): Float64Array {
  const values = new Float64Array(rows);
  for (let row = 0, at = from; row < rows; row++, at += step) {
    const value = view.getFloat32(at, true);
    values[row] = value - value === 0 ? value : NaN;
  }
  return values;
}
