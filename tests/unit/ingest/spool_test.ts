import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { tmpdir } from "node:os";
import { ImportError } from "../../../src/ingest/mod.ts";
import { Spool } from "../../../src/ingest/spool.ts";

/** A byte, and an error of the system. */
async function* failing(code: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Uint8Array.of(1));
  throw Object.assign(new Error("No space left on device"), { code });
}

Deno.test("Spool.of: a full disk is an error that names the folder and says how to choose another", async () => {
  const error = await assertRejects(() => Spool.of(failing("ENOSPC")), ImportError);
  assertEquals(error.message, `Cannot import: the disk of ${tmpdir()} is full`);
  assertStringIncludes(error.hint ?? "", "TMPDIR");
  const other = await assertRejects(() => Spool.of(failing("EIO")), Error);
  assertEquals(other.message, "No space left on device");
});
