import { assert, assertEquals } from "@std/assert";
import { BUFFER_POINTS } from "../../../src/engine/constants.ts";
import { PointBuffer } from "../../../src/engine/stream/point_buffer.ts";
import { regular } from "../../support/engine.ts";

// A thousand streams that are written every second copied all they had in seconds 16, 32, 64 and 128.
Deno.test("PointBuffer: buffers that fill together do not grow together, and not beyond a full one", () => {
  const step = 120;
  let buffers = Array.from({ length: 100 }, () => PointBuffer.EMPTY);
  for (let at = 0; at + step < BUFFER_POINTS; at += step) {
    const points = regular(step, BigInt(at) * 1_000_000n);
    const before = buffers.map(({ arrived }) => arrived.times.buffer);
    buffers = buffers.map((buffer) => buffer.append(points, at / step, 0));
    const after = buffers.map(({ arrived }) => arrived.times.buffer);
    const grown = after.filter((buffer, i) => buffer !== before[i]).length;
    if (at > 2_000) assert(grown <= 34, `${grown} of 100 grew at ${at} points`);
  }
  for (const { arrived } of buffers) {
    assert(arrived.times.buffer.byteLength <= 8 * BUFFER_POINTS);
    assertEquals(arrived.times, regular(arrived.times.length).times);
  }
});
