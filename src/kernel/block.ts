/**
 * Points as compressed bytes.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";

/** Encodes points `[from, to)`, leaving `reserve` bytes free at the front. */
export function encodeBlock(
  points: RawColumns,
  from: number,
  to: number,
  reserve = 0,
): Uint8Array {
  const n = to - from;
  const out = new Uint8Array(reserve + 4 + 16 * n);
  new DataView(out.buffer).setUint32(reserve, n, true);
  const { times, values } = points;
  const a = times.subarray(from, to), b = values.subarray(from, to);
  out.set(new Uint8Array(a.buffer, a.byteOffset, 8 * n), reserve + 4);
  out.set(new Uint8Array(b.buffer, b.byteOffset, 8 * n), reserve + 4 + 8 * n);
  return out;
}

/** Decodes what {@linkcode encodeBlock} made, from byte `offset` on. */
export function decodeBlock(bytes: Uint8Array, offset = 0): RawColumns {
  const n = new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
  const at = offset + 4;
  const copy = (from: number) => bytes.slice(from, from + 8 * n).buffer;
  return {
    times: new BigInt64Array(copy(at)),
    values: new Float64Array(copy(at + 8 * n)),
  };
}
