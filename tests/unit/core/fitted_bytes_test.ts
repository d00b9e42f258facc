import { assertEquals } from "@std/assert";
import { fittedBytes } from "../../../src/core/fitted_bytes.ts";
import { SpareBuffers } from "../../../src/core/spare_buffers.ts";

// Windows without points take a fifth of the memory that is allocated for their messages: what 100 calls held
// whose answers nobody read was 700 MB, of which a fifth was counted.
Deno.test("fittedBytes: bytes that fill little of their buffer are copied, and the buffer is kept", () => {
  const spare = new SpareBuffers(1 << 20);
  const buffer = new ArrayBuffer(300_000);
  const most = new Uint8Array(buffer, 0, 150_000);
  assertEquals(fittedBytes(most, spare).buffer, buffer);
  assertEquals(spare.take(300_000), undefined);
  const few = new Uint8Array(buffer, 10, 60_000).fill(7);
  const fitted = fittedBytes(few, spare);
  assertEquals(fitted, few);
  assertEquals(fitted.buffer.byteLength, 60_000);
  assertEquals(spare.take(300_000)!.buffer, buffer);
  const tiny = new Uint8Array(new ArrayBuffer(1_000), 0, 10);
  assertEquals(fittedBytes(tiny, spare).buffer, tiny.buffer);
});
