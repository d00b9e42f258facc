import { assert, assertEquals, assertRejects } from "@std/assert";
import { createServer } from "node:net";
import { destination } from "../../../src/cli/export/sink.ts";
import { resumeAt } from "../../../src/cli/export/resume.ts";
import { readDefinitions } from "../../../src/cli/words/definition_file.ts";
import { readProfile } from "../../../src/connect/profile.ts";
import { connect } from "../../../src/connect/mod.ts";
import { NotAFileError, readPlainText } from "../../../src/core/plain_file.ts";
import { readColumnMeta } from "../../../src/ingest/column_meta.ts";
import { PointSpool } from "../../../src/ingest/c37118/point_spool.ts";
import { FollowJournal } from "../../../src/ingest/follow/follow_journal.ts";
import { loadRecord, saveRecord } from "../../../src/ingest/import_record.ts";
import { readCertificate } from "../../../src/server/certificate.ts";

const ignore = Deno.build.os === "windows";

/** A folder with a FIFO that nobody writes to. */
async function withFifo(name: string) {
  const path = await Deno.makeTempDir({ prefix: "btrdb-fifo-" });
  const fifo = `${path}/${name}`;
  await Deno.mkdir(fifo.replace(/\/[^/]*$/, ""), { recursive: true });
  const { success } = await new Deno.Command("mkfifo", { args: [fifo] }).output();
  assert(success);
  return { path, fifo, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test({
  name: "readPlainText: files and pipes of a shell are read, and nothing else",
  ignore,
  async fn() {
    await using dir = await withFifo("fifo");
    await Deno.writeTextFile(`${dir.path}/a`, "Ω");
    await Deno.symlink(`${dir.path}/a`, `${dir.path}/link`);
    assertEquals(await readPlainText(`${dir.path}/link`), "Ω");
    const socket = `${dir.path}/socket`;
    const server = createServer();
    await new Promise<void>((done) => server.listen(socket, done));
    const others = [
      [dir.fifo, "a FIFO"],
      [dir.path, "a folder"],
      [socket, "a socket"],
      ["/dev/zero", "a device"],
    ] as const;
    for (const [path, kind] of others) {
      const error = await assertRejects(() => readPlainText(path), NotAFileError);
      assertEquals(error.message, `${path} is ${kind}, expected a file`);
    }
    await new Promise((done) => server.close(done));
  },
});

// A FIFO in the place of the record kept an import in one read, which nothing but a kill could end:
// an interrupt waited for it too. The same held for every other file that commands read as a whole.
Deno.test({
  name: "readPlainText: a FIFO in the place of state, keys or definitions is an error at once",
  ignore,
  async fn() {
    await using dir = await withFifo("fifo");
    const { fifo } = dir;
    const db = await connect("memory:");
    const why = `${fifo} is a FIFO, expected a file`;
    const readers: [() => Promise<unknown>, string][] = [
      [() => loadRecord(fifo), `Cannot keep the record of the import: ${why}`],
      [() => FollowJournal.load(fifo, {}), `Cannot keep the journal of what is followed: ${why}`],
      [() => readColumnMeta(fifo), `Cannot use --meta: ${why}`],
      [() => readCertificate({ cert: fifo, key: fifo }), `Cannot use tls.cert: ${why}`],
      [() => readDefinitions(db, fifo, []), `Cannot load ${fifo}: ${why}`],
    ];
    for (const [read, message] of readers) {
      const error = await assertRejects(read, Error);
      assertEquals(error.message, message);
    }
    await db.close();
  },
});

Deno.test({
  name: "readPlainText: files in folders that are known by name are refused too",
  ignore,
  async fn() {
    await using home = await withFifo(".predictivegrid/credentials.yaml");
    const env = {
      get: (name: string) => name === "HOME" ? home.path : undefined,
      denied: new Set<string>(),
    };
    await assertRejects(
      () => readProfile("default", false, env),
      Error,
      `Cannot use profile "default": ${home.fifo} is a FIFO, expected a file`,
    );
    await using note = await withFifo("out.csv.part.json");
    const output = destination(`${note.path}/out.csv`);
    await assertRejects(
      () => resumeAt(output, { request: 1, versions: [] }),
      Error,
      `Cannot resume ${note.path}/out.csv: ${note.fifo} is a FIFO, expected a file`,
    );
    for (const name of ["0000000001.spool", "lock"]) {
      await using spool = await withFifo(name);
      // A lock that is no file is nobody's, and is replaced as one of a process that is gone.
      const opened = PointSpool.open(spool.path, 1 << 20);
      if (name === "lock") await (await opened)[Symbol.asyncDispose]();
      else await assertRejects(() => opened, Error, `${spool.fifo} is a FIFO, expected a file`);
    }
  },
});

// The error was "EISDIR: illegal operation on a directory, rename …", after everything was stored.
Deno.test("saveRecord: a folder in its place, or a file in that of its folder, is named", async () => {
  const path = await Deno.makeTempDir({ prefix: "btrdb-state-" });
  await Deno.writeTextFile(`${path}/file`, "");
  await Deno.mkdir(`${path}/record.json`);
  // deno-lint-ignore no-explicit-any
  const record = { format: 1 } as any;
  for (
    const [at, why] of [
      [`${path}/record.json`, `${path}/record.json is a folder, expected a file`],
      [`${path}/file/record.json`, `${path}/file is a file, expected a folder`],
    ] as const
  ) {
    const error = await assertRejects(() => saveRecord(at, record), Error);
    assertEquals(error.message, `Cannot keep the record of the import: ${why}`);
  }
  const file = `${path}/file/record.json`;
  const error = await assertRejects(() => loadRecord(file), Error);
  assertEquals(
    error.message,
    `Cannot keep the record of the import: ${path}/file is a file, expected a folder`,
  );
  await Deno.remove(path, { recursive: true });
});
