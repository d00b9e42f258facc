import { assertEquals, assertThrows } from "@std/assert";
import {
  endStatus,
  type Frame,
  FrameError,
  frameOf,
  FrameReader,
  statusOf,
  trailersOf,
} from "../../../src/core/grpc_web.ts";
import { Random } from "../../support/random.ts";

/** All frames in bytes that come in pieces of some sizes. */
function framesIn(bytes: Uint8Array, sizeOf: () => number, maxBytes = 1 << 20): Frame[] {
  const reader = new FrameReader(maxBytes);
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const piece = bytes.slice(at, at + sizeOf());
    at += piece.length;
    reader.position = 0;
    for (let frame = reader.take(piece); frame !== undefined; frame = reader.take(piece)) {
      frames.push(frame);
    }
    piece.fill(0xee); // The memory of a piece is written anew by the next read.
  }
  assertEquals(reader.isBetween, true);
  return frames;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

Deno.test("FrameReader: frames come back whole, however the bytes are split", () => {
  const random = new Random(7);
  const messages = Array.from({ length: 40 }, (_, i) => {
    const length = i % 5 === 0 ? 0 : Math.floor(random.next() * 3000);
    return Uint8Array.from({ length }, () => Math.floor(random.next() * 256));
  });
  const end = { code: 14, details: "50 % of Zürich\nis 雪" };
  const bytes = concat([...messages.map(frameOf), trailersOf(end)]);
  for (
    const sizeOf of [
      () => 1,
      () => 7,
      () => bytes.length,
      () => 1 + Math.floor(random.next() * 900),
    ]
  ) {
    const frames = framesIn(bytes, sizeOf);
    assertEquals(frames.slice(0, -1).map((frame) => frame.bytes), messages);
    assertEquals(frames.map(({ isTrailers }) => isTrailers).indexOf(true), messages.length);
    assertEquals(statusOf(frames.at(-1)!.bytes), end);
  }
});

Deno.test("FrameReader: what is no frame, too long or compressed is refused by its head", () => {
  const refusals: [number[], string, number][] = [
    [[0, 0, 0, 4, 1], "a message of 1025 bytes is longer than the 1024", 8],
    [[0, 0xff, 0xff, 0xff, 0xff], "4294967295 bytes is longer", 8],
    [[0x80, 0, 1, 0, 1], "trailers of 65537 bytes are longer", 8],
    [[1, 0, 0, 0, 1], "compressed", 13],
    [[0x3c, 0x68, 0x74, 0x6d, 0x6c], "no gRPC-Web", 13],
  ];
  for (const [head, text, code] of refusals) {
    const reader = new FrameReader(1024);
    const error = assertThrows(() => reader.take(Uint8Array.from(head)), FrameError, text);
    assertEquals(error.end.code, code);
  }
});

Deno.test("statusOf: names in any case, blanks, a text that is no percent-encoding", () => {
  const trailers = (text: string) => new TextEncoder().encode(text);
  assertEquals(statusOf(trailers("Grpc-Status:5\r\nGRPC-MESSAGE:  no such %zz\r\n")), {
    code: 5,
    details: "no such %zz",
  });
  assertEquals(statusOf(trailers("grpc-status:5\r\ngrpc-message: 100 % %2Fa %c3%bc %ff\r\n")), {
    code: 5,
    details: "100 % /a \u00fc %ff",
  });
  assertEquals(statusOf(trailers("x: y\r\ngrpc-status: 0")), { code: 0, details: "" });
  assertThrows(() => statusOf(trailers("grpc-message: lost\r\n")), FrameError, "without a status");
});

Deno.test("endStatus: nothing where no status is", () => {
  assertEquals(endStatus(() => null), undefined);
  assertEquals(endStatus((name) => name === "grpc-status" ? "16" : null), {
    code: 16,
    details: "",
  });
});

// The last of two lines counted, so that a call which had failed with 13 was taken for one that ended
// well. What is no number became a lost connection without a reason, and was tried again.
Deno.test("statusOf: a status that gRPC does not have, or that is there twice, is UNKNOWN and named", () => {
  const given = (lines: string) => statusOf(new TextEncoder().encode(lines));
  for (
    const text of [
      "many",
      "",
      "-1",
      "+0",
      "00",
      "0.5",
      "0x0",
      "1e0",
      "17",
      "999",
      "9".repeat(20),
      "\u00a00",
    ]
  ) {
    const details = `its status is "${text}", expected 0 to 16`;
    assertEquals(given(`grpc-status: ${text}\r\n`), { code: 2, details });
  }
  const { code, details } = given(
    "grpc-status: 13\r\ngrpc-message: [404] gone\r\ngrpc-status: 0\r\n",
  );
  assertEquals(code, 2);
  assertEquals(details, '[404] gone (its status is "13, 0", expected 0 to 16)');
  for (let known = 0; known <= 16; known++) {
    assertEquals(given(`grpc-status: ${known}`).code, known);
  }
});
