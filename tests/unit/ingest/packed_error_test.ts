/** Errors that cross threads. */

import { assert, assertEquals } from "@std/assert";
import { verdictOf } from "../../../src/cli/errors.ts";
import { ImportError } from "../../../src/ingest/errors.ts";
import { packError, unpackError } from "../../../src/ingest/packed_error.ts";
import { CsvError } from "../../../src/kernel/mod.ts";

Deno.test("packError: an error that has crossed is shown as it would have been here", () => {
  const cause = Object.assign(new Error("no such device"), { name: "OddError" });
  const errors = [
    new ImportError("Cannot decompress a.gz", { fault: "missing", hint: "look", cause }),
    new ImportError("Cannot import"),
    new CsvError("Cannot parse table: line 3, column 2: it is not valid", { line: 3, column: 2 }),
    new RangeError("Cannot parse table: offset is 3, expected 0 to 2"),
    new Deno.errors.NotFound("No such file (os error 2)"),
  ];
  for (const error of errors) {
    const there = unpackError(structuredClone(packError(error)));
    assertEquals(verdictOf(there), verdictOf(error));
    assertEquals(there.stack, error.stack);
    assertEquals(
      (there.cause as Error | undefined)?.name,
      (error.cause as Error | undefined)?.name,
    );
    assertEquals(there instanceof ImportError, error instanceof ImportError);
  }
  assert(unpackError(packError(cause)) instanceof Error);
});
