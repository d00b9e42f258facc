/** Output of the command to pipes that are read slowly. */

import { assert, assertEquals } from "@std/assert";
import { writeAll } from "../../../src/cli/terminal/output.ts";

Deno.test("writeAll: a full pipe that does not block is not asked again and again", () => {
  // Whoever started the command may have made the pipe so; a processor was busy until all was read.
  const written: number[] = [];
  let tries = 0;
  const free = performance.now() + 100;
  writeAll({
    writeSync(bytes) {
      tries++;
      if (written.length > 0 && performance.now() < free) throw new Deno.errors.WouldBlock();
      const part = bytes.subarray(0, 3);
      written.push(...part);
      return part.length;
    },
  }, Uint8Array.of(1, 2, 3, 4, 5));
  assertEquals(written, [1, 2, 3, 4, 5]);
  assert(tries < 40, `${tries} tries`);
});
