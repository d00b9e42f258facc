import { assertRejects } from "@std/assert";
import { ImportError } from "../../../src/ingest/mod.ts";
import { FollowJournal } from "../../../src/ingest/follow/follow_journal.ts";

// The error was that of the parser of JSON: it named neither the file nor what to do.
Deno.test("FollowJournal.load: a damaged journal is named, with its line and what helps", async () => {
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  try {
    const head = '{"follow":1,"wishes":{}}\n';
    for (const damaged of ["garbage{{{", "null", "5", "{}", '{"stored":{"id":7}}']) {
      await Deno.writeTextFile(path, `${head}${damaged}\n`);
      await assertRejects(
        () => FollowJournal.load(path, {}),
        ImportError,
        `line 2 of ${path} is damaged`,
      );
    }
  } finally {
    await Deno.remove(path);
  }
});
