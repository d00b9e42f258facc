/** Compressed bytes in members and frames, whole and cut. */

import { assertEquals, assertRejects } from "@std/assert";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { concatBytes } from "../../../src/core/bytes.ts";
import { compressionOf, decompress } from "../../../src/ingest/compression/decompress.ts";

const TEXT = new TextEncoder().encode("1583020800,1.25\n".repeat(2000));
const OTHER = new TextEncoder().encode("1583020801,2.5\n");

/** A skippable frame (RFC 8878, section 3.1.2). */
const SKIPPED = Uint8Array.of(0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);

async function all(bytes: Uint8Array, piece: number): Promise<Uint8Array> {
  async function* pieces(): AsyncGenerator<Uint8Array, void, void> {
    for (let at = 0; at < bytes.length; at += piece) yield bytes.subarray(at, at + piece);
  }
  const compression = compressionOf(bytes) as "gzip" | "zstd";
  return concatBytes(await Array.fromAsync(decompress(pieces(), compression, "x")));
}

/** Data as incompressible as measurements are, over several blocks. */
function noise(bytes: number): Uint8Array {
  const made = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) {
    crypto.getRandomValues(made.subarray(at, at + 65_536));
  }
  return made;
}

Deno.test("decompress: all members and frames, also skippable ones, whatever the pieces", async () => {
  const zstd = [zstdCompressSync(TEXT), zstdCompressSync(OTHER)] as const;
  const gzip = [gzipSync(TEXT), gzipSync(OTHER)] as const;
  const both = concatBytes([TEXT, OTHER]);
  for (const piece of [1, 7, 1 << 20]) {
    assertEquals(await all(concatBytes(gzip), piece), both);
    assertEquals(await all(concatBytes(zstd), piece), both);
    assertEquals(
      await all(concatBytes([SKIPPED, zstd[0], SKIPPED, zstd[1], SKIPPED]), piece),
      both,
    );
  }
  const large = noise(700_000);
  assertEquals(await all(zstdCompressSync(large), 65_536), large);
  const zeros = new Uint8Array(700_000);
  assertEquals(await all(zstdCompressSync(zeros), 5), zeros);
});

Deno.test("decompress: bytes cut off anywhere are an error, never less", async () => {
  for (const whole of [gzipSync(OTHER), zstdCompressSync(OTHER)]) {
    for (let length = 4; length < whole.length; length++) {
      await assertRejects(() => all(whole.subarray(0, length), 3), Error, "Cannot decompress x");
    }
  }
  const frames = concatBytes([zstdCompressSync(TEXT), zstdCompressSync(OTHER)]);
  const first = zstdCompressSync(TEXT).length;
  for (let length = first + 1; length < frames.length; length++) {
    await assertRejects(() => all(frames.subarray(0, length), 64), Error, "is cut off after");
  }
});

// A member behind zeros was left out without a word, or with an error, as the pieces of the file came.
Deno.test("decompress: zeros may follow gzip, and nothing may follow them", async () => {
  const [member, other] = [gzipSync(TEXT), gzipSync(OTHER)];
  for (const zeros of [1, 10, 600].map((n) => new Uint8Array(n))) {
    for (const piece of [1, 7, member.length, member.length + 1, 1 << 20]) {
      assertEquals(await all(concatBytes([member, zeros]), piece), TEXT);
      for (const behind of [other, Uint8Array.of(1)]) {
        await assertRejects(
          () => all(concatBytes([member, zeros, behind]), piece),
          Error,
          "Cannot decompress x: something follows the zeros behind its end",
        );
      }
    }
  }
  const large = noise(3_000_000);
  const zeros = new Uint8Array(20_000_000);
  for (const piece of [1 << 10, 1 << 14, 1 << 20]) {
    assertEquals(await all(gzipSync(large), piece), large);
    assertEquals(await all(gzipSync(zeros), piece), zeros);
  }
});
