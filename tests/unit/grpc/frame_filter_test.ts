import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { FrameFilter, type Goaway } from "../../../src/grpc/transport/frame_filter.ts";
import { Random } from "../../support/random.ts";

/** A frame of HTTP/2. */
function frame(type: number, flags: number, streamId: number, payload: number[] = []): number[] {
  const id = [streamId >>> 24, streamId >>> 16, streamId >>> 8, streamId].map((byte) => byte & 255);
  return [0, payload.length >> 8, payload.length & 255, type, flags, ...id, ...payload];
}

function goaway(lastStreamId: number, code = 0, debug: number[] = []): number[] {
  return frame(7, 0, 0, [0, 0, 0, lastStreamId, 0, 0, 0, code, ...debug]);
}

const PREFACE = new Array<number>(24).fill(80);
const DATA = frame(0, 0, 1, [1, 2, 3]);
const refusalOf = (streamId: number): number[] => frame(3, 0, streamId, [0, 0, 0, 7]);

/** All bytes that a filter hands on, in chunks of the sizes that `cut` gives. */
function received(filter: FrameFilter, bytes: number[], cut: () => number = () => 1e9): number[] {
  const passed: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const chunk = Uint8Array.from(bytes.slice(at, at + Math.max(1, cut())));
    for (const part of filter.receive(chunk)) passed.push(...part);
    at += chunk.length;
  }
  return passed;
}

Deno.test("FrameFilter: a chunk of frames that may pass is handed on as it is", () => {
  const filter = new FrameFilter(() => {});
  const chunk = Uint8Array.from([...frame(4, 0, 0), ...DATA, ...DATA.slice(0, 11)]);
  const [part, ...others] = filter.receive(chunk);
  assertStrictEquals(part!.buffer, chunk.buffer);
  assertEquals([part!.length, others.length], [chunk.length, 0]);
});

Deno.test("FrameFilter: GOAWAY, priorities and unknown types are left out, wherever the bytes are cut", () => {
  const random = new Random(7);
  for (let round = 0; round < 300; round++) {
    const heard: Goaway[] = [];
    const filter = new FrameFilter((event) => heard.push(event));
    const kept: number[] = [];
    const all: number[] = [];
    let goaways = 0;
    for (let n = 0; n < 20; n++) {
      const payload = Array.from({ length: random.int(0, 40) }, () => random.int(0, 255));
      const type = random.pick([0, 1, 2, 4, 6, 7, 8, 9, 10, 12, 200]);
      const made = type === 7 ? goaway(random.int(0, 9), 1, payload) : frame(type, 0, 1, payload);
      all.push(...made);
      if (type === 7) goaways++;
      else if (type !== 2 && type <= 9) kept.push(...made);
    }
    const passed = received(filter, all, () => random.int(1, random.pick([3, 30, 300])));
    assertEquals(passed, kept);
    assertEquals(heard.length, goaways);
    assertEquals(heard.every(({ code }) => code === 1), true);
  }
});

Deno.test("FrameFilter: streams above the last one are refused, those below go on", () => {
  const heard: Goaway[] = [];
  const filter = new FrameFilter((event) => heard.push(event));
  const opened = [1, 3, 5, 7].flatMap((id) => frame(1, 4, id, [9]));
  assertEquals(filter.send(Uint8Array.from([...PREFACE, ...opened])), []);
  assertEquals(received(filter, [...DATA, ...goaway(3), ...DATA]), [
    ...DATA,
    ...refusalOf(5),
    ...refusalOf(7),
    ...DATA,
  ]);
  assertEquals(heard, [{ lastStreamId: 3, code: 0 }]);
  const [late] = filter.send(Uint8Array.from(frame(1, 4, 9)));
  assertEquals([...late!], refusalOf(9));
  // The second GOAWAY of a graceful stop names a lower stream; a higher one changes nothing.
  assertEquals(received(filter, goaway(1)), refusalOf(3));
  assertEquals(received(filter, goaway(100)), []);
});

Deno.test("FrameFilter: streams that have ended are not refused", () => {
  const filter = new FrameFilter(() => {});
  const opened = [1, 3, 5].flatMap((id) => frame(1, 4, id));
  filter.send(Uint8Array.from([...PREFACE, ...opened, ...frame(3, 0, 5, [0, 0, 0, 8])]));
  received(filter, [...frame(0, 1, 1), ...frame(3, 0, 3, [0, 0, 0, 0])]);
  assertEquals(received(filter, goaway(0)), []);
});

Deno.test("FrameFilter: what no server may send ends the connection", () => {
  const push = Uint8Array.from(frame(5, 4, 1, [0, 0, 0, 2]));
  assertThrows(() => new FrameFilter(() => {}).receive(push), Error, "PUSH_PROMISE");
  for (const bad of [frame(7, 0, 0, [0, 0, 0]), frame(7, 0, 3, new Array(8).fill(0))]) {
    assertThrows(() => new FrameFilter(() => {}).receive(Uint8Array.from(bad)), Error, "GOAWAY");
  }
});

Deno.test("FrameFilter: data of streams that the client has reset is left out, and the server gets room for it", () => {
  const filter = new FrameFilter(() => {});
  const opened = [1, 3].flatMap((id) => frame(1, 4, id, [9]));
  filter.send(Uint8Array.from([...PREFACE, ...opened, ...frame(3, 0, 1, [0, 0, 0, 8])]));
  const data = new Array<number>(16_384).fill(1);
  const kept = [...frame(0, 0, 3, data), ...frame(1, 5, 1, [1, 2])];
  assertEquals(received(filter, [...frame(0, 0, 1, data), ...kept], () => 1_000), kept);
  assertEquals(filter.takeCredit(), undefined);
  // The server had ended the stream with the headers above: what comes then is its mistake.
  assertEquals(received(filter, frame(0, 0, 1, data)), frame(0, 0, 1, data));

  filter.send(Uint8Array.from(frame(3, 0, 3, [0, 0, 0, 8])));
  assertEquals(received(filter, frame(0, 0, 3, data)), []);
  const between = Uint8Array.from(frame(1, 4, 5, [9, 9]));
  filter.send(between.subarray(0, 10));
  assertEquals(filter.takeCredit(), undefined);
  filter.send(between.subarray(10));
  assertEquals([...filter.takeCredit()!], frame(8, 0, 0, [0, 0, 128, 0]));
  assertEquals(filter.takeCredit(), undefined);
});

Deno.test("FrameFilter: of very many streams that were reset the first ones are forgotten", () => {
  const filter = new FrameFilter(() => {});
  filter.send(Uint8Array.from(PREFACE));
  for (let id = 1; id < 2_003; id += 2) {
    filter.send(Uint8Array.from([...frame(1, 4, id, [9]), ...frame(3, 0, id, [0, 0, 0, 8])]));
  }
  assertEquals(received(filter, frame(0, 0, 1, [1])), frame(0, 0, 1, [1]));
  assertEquals(received(filter, frame(0, 0, 2_001, [1])), []);
});
