import { assertEquals, assertRejects } from "@std/assert";
import { ImportError } from "../../../src/ingest/errors.ts";
import { type ImportRecord, loadRecord, saveRecord } from "../../../src/ingest/import_record.ts";
import { START } from "../../../src/ingest/source.ts";

// The error was that of the parser: it named no file, and repeated the beginning of whatever was
// there, of another file too if a link stood in place of the record.
Deno.test("loadRecord: what is no record is an error that names the file and repeats nothing", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/import-1.json`;
    assertEquals(await loadRecord(path), undefined);
    for (const text of ["s3cret", "", "null", "[]", "5", '{"s3cret":1}', '{"format":1}']) {
      await Deno.writeTextFile(path, text);
      const error = await assertRejects(() => loadRecord(path), ImportError);
      assertEquals(
        [error.message, error.hint],
        [
          `Cannot read the record of the import: ${path} is damaged`,
          "--restart discards it, and imports the whole file",
        ],
      );
    }
    const record: ImportRecord = {
      format: 1,
      source: { path: "a.csv", size: 1, modifiedMs: 1, head: "00" },
      target: "memory:",
      wishes: {},
      layout: {},
      streams: [],
      position: START,
    };
    await saveRecord(path, record);
    assertEquals(await loadRecord(path), record);
    // A changed digit of the place would lose rows, or store them twice.
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace('"offset":0', '"offset":1'));
    await assertRejects(() => loadRecord(path), ImportError, "is damaged");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
