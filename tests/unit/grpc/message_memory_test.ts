/** Memory of messages that have been read. */

import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { giveBack } from "../../../src/grpc/transport/message_memory.ts";

Deno.test("giveBack: a message that has a buffer to itself is freed, with the five bytes before it", () => {
  for (const head of [0, 5]) {
    const { buffer } = Buffer.concat([new Uint8Array(head), new Uint8Array(10_000)]);
    giveBack(new Uint8Array(buffer, head));
    assertEquals(buffer.byteLength, 0);
  }
});

Deno.test("giveBack: a message in a buffer with others is left alone", () => {
  for (const around of [Buffer.allocUnsafe(10), Buffer.alloc(9_006).subarray(0, 9_000)]) {
    const size = around.buffer.byteLength;
    giveBack(new Uint8Array(around.buffer, around.byteOffset, around.length));
    assertEquals(around.buffer.byteLength, size);
  }
});
