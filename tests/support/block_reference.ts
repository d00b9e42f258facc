/** A plain reading of the block format, from its description: one bit at a time. */

import type { RawColumns } from "../../src/core/columns.ts";

class Reader {
  at: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** An unsigned integer of `n` bytes, least significant first. */
  uint(n: number): bigint {
    let value = 0n;
    for (let i = 0; i < n; i++) value |= BigInt(this.#bytes[this.at++]!) << BigInt(8 * i);
    return value;
  }

  byte(): number {
    return Number(this.uint(1));
  }

  /** `n` unsigned integers of `width` bits; ends on a byte. */
  packed(n: number, width: number): bigint[] {
    const bits = this.uint((n * width + 7) >> 3);
    const mask = (1n << BigInt(width)) - 1n;
    return Array.from({ length: n }, (_, i) => (bits >> BigInt(i * width)) & mask);
  }

  run(n: number): bigint[] {
    const order = this.byte();
    const out: bigint[] = [];
    for (let i = 0; i < order; i++) out.push(BigInt.asIntN(64, this.uint(8)));
    let base = 0n;
    while (out.length < n) {
      const width = this.byte();
      const zigzag = this.uint(this.byte());
      base += zigzag & 1n ? -(zigzag >> 1n) - 1n : zigzag >> 1n;
      const m = Math.min(64, n - out.length);
      for (const value of this.packed(m, width)) out.push(BigInt.asIntN(64, base + value));
    }
    for (let k = 0; k < order; k++) {
      for (let i = 1; i < n; i++) out[i] = BigInt.asIntN(64, out[i]! + out[i - 1]!);
    }
    return out;
  }
}

function double(integer: bigint, mode: number, parameter: number): number {
  if (mode === 1) return Number(integer) / 10 ** parameter;
  if (mode === 2) return Number(integer) / 2 ** parameter;
  const magnitude = (integer < 0n ? -integer - 1n : integer) << BigInt(parameter);
  const bits = integer < 0n ? magnitude | (1n << 63n) : magnitude;
  return new Float64Array(BigUint64Array.of(bits).buffer)[0]!;
}

/** Decodes a block. */
export function readBlock(bytes: Uint8Array): RawColumns {
  const reader = new Reader(bytes, 0);
  const n = Number(reader.uint(4));
  const times = reader.run(n);
  const mode = reader.byte();
  const parameter = reader.byte();
  const values = reader.run(n).map((integer) => double(integer, mode, parameter));
  if (reader.at !== bytes.length) throw new Error(`${bytes.length - reader.at} bytes are left`);
  return { times: BigInt64Array.from(times), values: Float64Array.from(values) };
}
