import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cut } from "../../../src/client/range_cut.ts";

Deno.test("cut: the pieces make up the range, the body is aligned, the edges are short", () => {
  const time = fc.bigInt(-(1n << 60n), 3n << 60n);
  fc.assert(
    fc.property(time, time, fc.nat(60), (a, b, pointwidth) => {
      fc.pre(a !== b);
      const range = a < b ? { start: a, end: b } : { start: b, end: a };
      const { head, body, tail } = cut(range, pointwidth);
      const present = [head, body, tail].filter((piece) => piece !== undefined);
      assertEquals(present[0]?.start, range.start);
      assertEquals(present.at(-1)?.end, range.end);
      present.forEach((piece, i) => {
        assert(piece.start < piece.end);
        if (i > 0) assertEquals(piece.start, present[i - 1]!.end);
      });
      const width = 1n << BigInt(pointwidth);
      if (body === undefined) return assertEquals(tail, undefined);
      assertEquals([body.start % width, body.end % width], [0n, 0n]);
      for (const edge of [head, tail]) assert(edge === undefined || edge.end - edge.start < width);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("cut: an aligned range is all body, one without an aligned window all head", () => {
  const aligned = { start: -64n, end: 128n };
  assertEquals(cut(aligned, 6), { head: undefined, body: aligned, tail: undefined });
  const narrow = { start: 1n, end: 127n };
  assertEquals(cut(narrow, 6), { head: narrow, body: undefined, tail: undefined });
  assertEquals(cut({ start: 1n, end: 129n }, 6), {
    head: { start: 1n, end: 64n },
    body: { start: 64n, end: 128n },
    tail: { start: 128n, end: 129n },
  });
});
