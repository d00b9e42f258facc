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
    if (order > 2 || order > n) throw new Error(`a run has the order ${order}`);
    const out: bigint[] = [];
    for (let i = 0; i < order; i++) out.push(BigInt.asIntN(64, this.uint(8)));
    let base = 0n;
    while (out.length < n) {
      const width = this.byte();
      const bytes = this.byte();
      if (width > 64 || bytes > 8) throw new Error(`${width} bits beside ${bytes} bytes`);
      const zigzag = this.uint(bytes);
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
  if (mode > 2 || parameter > [52, 12, 60][mode]!) throw new Error(`mode ${mode}, ${parameter}`);
  if (mode === 1) return Number(integer) / 10 ** parameter;
  if (mode === 2) return Number(integer) / 2 ** parameter;
  const magnitude = (integer < 0n ? -integer - 1n : integer) << BigInt(parameter);
  const bits = integer < 0n ? magnitude | (1n << 63n) : magnitude;
  return new Float64Array(BigUint64Array.of(bits).buffer)[0]!;
}

/** Decodes a block. */
export function readBlock(bytes: Uint8Array): RawColumns {
  const points: [bigint, number][] = [];
  const at = readInto(points, bytes, 0);
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes are left`);
  return columnsOf(points);
}

/**
 * Decodes blocks that stand one behind the other.
 *
 * @param points Number of points that all together must have.
 */
export function readBlocks(bytes: Uint8Array, points: number): RawColumns {
  const all: [bigint, number][] = [];
  for (let at = 0; at < bytes.length;) {
    const before = all.length;
    at = readInto(all, bytes, at, points - before);
    if (all.length === before) throw new Error(`a block has no points`);
  }
  if (all.length !== points) throw new Error(`there are ${all.length} points, not ${points}`);
  return columnsOf(all);
}

function columnsOf(points: readonly [bigint, number][]): RawColumns {
  return {
    times: BigInt64Array.from(points, ([time]) => time),
    values: Float64Array.from(points, ([, value]) => value),
  };
}

/** Decodes the block at `at` of `most` points at most; its end. */
function readInto(
  points: [bigint, number][],
  bytes: Uint8Array,
  at: number,
  most = 2 ** 26,
): number {
  const reader = new Reader(bytes, at);
  const n = Number(reader.uint(4));
  if (n > most) throw new Error(`a block has ${n} points, more than ${most}`);
  const times = reader.run(n);
  const mode = reader.byte();
  const parameter = reader.byte();
  const values = reader.run(n).map((integer) => double(integer, mode, parameter));
  times.forEach((time, i) => points.push([time, values[i]!]));
  return reader.at;
}
