import { assert, assertLess, assertRejects } from "@std/assert";
import { connect } from "../../../mod.ts";
import { ImportError, importFile } from "../../../src/ingest/mod.ts";

// A file of 16 MB without a line end was repeated whole in the error, on the terminal.
Deno.test("ImportError: a cell or a name of a million characters is not in the message", async () => {
  await using db = await connect("memory:");
  const long = 1_000_000;
  for (const text of ['"'.repeat(long), "1".repeat(long), `${"t".repeat(long)},v\nx,1\n`]) {
    const bytes = new TextEncoder().encode(text);
    const error = await assertRejects(() => importFile(db, bytes, { threads: false }), ImportError);
    assertLess(error.message.length, 10_000);
    assert((error.hint?.length ?? 0) < 10_000);
  }
});
