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
    assert(arrived.times.buffer.byteLength <= 16 * BUFFER_POINTS);
    assertEquals(arrived.times, regular(arrived.times.length).times);
  }
});

// A read of 10,000 streams with a few buffered points each left four columns of each in memory.
Deno.test("PointBuffer: columns of a few points are not kept", () => {
  for (const times of [[1n, 2n], [2n, 1n]]) {
    const points = { times: BigInt64Array.from(times), values: Float64Array.of(1, 2) };
    const buffer = PointBuffer.EMPTY.append(points, 1, 0);
    assertEquals(buffer.arrived, points);
    assertEquals(buffer.sorted.times, BigInt64Array.of(1n, 2n));
    const [arrived, sorted] = [buffer.arrived, buffer.sorted];
    assert(arrived.times !== buffer.arrived.times);
    assert(sorted.times !== buffer.sorted.times);
    const grown = buffer.append(regular(20), 2, 0);
    assertEquals(grown.arrived.times.subarray(0, 2), points.times);
  }
});
