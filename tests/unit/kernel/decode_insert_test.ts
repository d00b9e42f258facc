import { assertEquals, assertLessOrEqual } from "@std/assert";
import { concatBytes } from "../../../src/core/bytes.ts";
import { decodeInsert } from "../../../src/kernel/wire.ts";

/** Points as a message has them, whose times are `from`, `from` + 1, …; without values if those are 0. */
function points(n: number, from: number, value: number): Uint8Array<ArrayBuffer> {
  const size = value === 0 ? 11 : 20;
  const bytes = new Uint8Array(n * size);
  const view = new DataView(bytes.buffer);
  for (let i = 0, at = 0; i < n; i++, at += size) {
    bytes.set([0x1a, size - 2, 0x09], at);
    view.setBigInt64(at + 3, BigInt(from + i), true);
    if (value === 0) continue;
    bytes[at + 11] = 0x11;
    view.setFloat64(at + 12, value, true);
  }
  return bytes;
}

const UUID = concatBytes([Uint8Array.of(0x0a, 16), new Uint8Array(16).fill(7)]);

// Columns of points without values were copied twice, and each insert of a message had six buffers, which
// each collection of garbage looks at.
Deno.test("decodeInsert: inserts of any length have their own points, also where columns share memory", () => {
  const lengths = Array.from({ length: 1_200 }, (_, i) => [i, 5, 255, 9, 1][i % 5]!);
  const decoded = lengths.map((n, i) => {
    return decodeInsert(concatBytes([UUID, points(n, 1_000 * i, i % 2)])).columns;
  });
  for (const [i, { times, values }] of decoded.entries()) {
    const n = lengths[i]!;
    assertEquals(times, BigInt64Array.from({ length: n }, (_, p) => BigInt(1_000 * i + p)));
    assertEquals(values, new Float64Array(n).fill(i % 2));
  }
  const buffers = new Set(
    decoded.map(({ times }) => times.buffer).filter((b) => b.byteLength > 64),
  );
  const long = lengths.filter((n) => n > 512).length;
  assertLessOrEqual(buffers.size, long + 200);
});

Deno.test("decodeInsert: points that are longer or shorter than the first ones are all there", () => {
  for (const [first, rest] of [[0, 1], [1, 0]] as const) {
    for (const n of [1, 100, 600, 40_000]) {
      // Something between them, as a message may have.
      const flag = Uint8Array.of(0x10, 1);
      const parts = [
        points(n, 0, first),
        flag,
        points(2 * n, n, rest),
        UUID,
        points(1, 3 * n, first),
      ];
      const { columns } = decodeInsert(concatBytes(parts));
      const length = 3 * n + 1;
      assertEquals(columns.times, BigInt64Array.from({ length }, (_, i) => BigInt(i)));
      const values = new Float64Array(length).fill(rest);
      values.fill(first, 0, n);
      values[3 * n] = first;
      assertEquals(columns.values, values);
    }
  }
});
