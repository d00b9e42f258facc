import { assertEquals, assertThrows } from "@std/assert";
import { closeSync } from "node:fs";
import { writeNote } from "../../../src/cli/export/resume.ts";
import { resumeAt } from "../../../src/cli/export/resume.ts";
import { destination, fileSink } from "../../../src/cli/export/sink.ts";
import { openSink } from "../../../src/csv/byte_sink.ts";
import { openNewFile, writePrivateFile } from "../../../src/core/new_file.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { saveRecord } from "../../../src/ingest/import_record.ts";
import { PointSpool } from "../../../src/ingest/c37118/point_spool.ts";
import { rejection } from "../../support/engine.ts";

const ignore = Deno.build.os === "windows";

/** A folder with a file that nobody may change, and links to it that somebody has planted. */
async function planted(names: readonly string[]) {
  const path = await Deno.makeTempDir({ prefix: "btrdb-links-" });
  const victim = `${path}/victim`;
  await Deno.writeTextFile(victim, "precious");
  for (const name of names) await Deno.symlink(victim, `${path}/${name}`);
  return {
    path,
    mode: (name: string) => (Deno.lstatSync(`${path}/${name}`).mode ?? 0) & 0o777,
    async [Symbol.asyncDispose]() {
      assertEquals(await Deno.readTextFile(victim), "precious");
      await Deno.remove(path, { recursive: true });
    },
  };
}

Deno.test({
  name: "openNewFile: replaces files and links, and never writes through a link",
  ignore,
  async fn() {
    await using dir = await planted(["link"]);
    closeSync(openNewFile(`${dir.path}/link`, 0o640));
    assertEquals(Deno.lstatSync(`${dir.path}/link`).isFile, true);
    assertEquals(dir.mode("link") & 0o137, 0);
    await Deno.symlink(`${dir.path}/nowhere`, `${dir.path}/dangling`);
    closeSync(openNewFile(`${dir.path}/dangling`, 0o600));
    assertEquals(Deno.lstatSync(`${dir.path}/dangling`).isFile, true);
    assertThrows(() => Deno.lstatSync(`${dir.path}/nowhere`), Deno.errors.NotFound);
    await Deno.mkdir(`${dir.path}/folder`);
    assertThrows(() => openNewFile(`${dir.path}/folder`, 0o600), Error, "EISDIR");
  },
});

Deno.test({
  name: "writePrivateFile, saveRecord, writeNote: state has mode 600, whatever was planted",
  ignore,
  async fn() {
    await using dir = await planted(["a", "a.new", "r.json.new", "out.csv.part.json.new"]);
    writePrivateFile(`${dir.path}/a`, "text");
    assertEquals([await Deno.readTextFile(`${dir.path}/a`), dir.mode("a")], ["text", 0o600]);
    // deno-lint-ignore no-explicit-any
    await saveRecord(`${dir.path}/r.json`, { format: 1 } as any);
    assertEquals(dir.mode("r.json"), 0o600);
    writeNote(destination(`${dir.path}/out.csv`), { request: 1, versions: [] });
    assertEquals(dir.mode("out.csv.part.json"), 0o600);
  },
});

Deno.test({
  name: "fileSink, resumeAt, openSink: exports go to files of their own with the mode of the umask",
  ignore,
  async fn() {
    await using dir = await planted(["out.csv.part"]);
    const to = destination(`${dir.path}/out.csv`);
    const note = { request: 1, versions: [] };
    writeNote(to, note);
    await resumeAt(to, note).then(
      () => assertEquals("an error", "none"),
      (error: Error) => assertEquals(error.message.includes("is a link"), true, error.message),
    );
    assertThrows(() => fileSink(to, true), Error, "Cannot write");
    const sink = fileSink(to, false);
    sink.write!(Uint8Array.of(65));
    await sink.finish();
    const umask = Deno.umask();
    assertEquals([await Deno.readTextFile(to.path), dir.mode("out.csv")], ["A", 0o666 & ~umask]);
    const other = await openSink("export", `${dir.path}/b.csv`, false, {});
    await other.write(Uint8Array.of(66));
    await other.finish();
    assertEquals(dir.mode("b.csv"), 0o666 & ~umask);
  },
});

Deno.test({
  name: "PointSpool: is readable for its owner alone, and does not write through links",
  ignore,
  async fn() {
    await using dir = await planted([]);
    const folder = `${dir.path}/spool`;
    const column = { collection: "c", name: "n", tags: {}, annotations: {} };
    const points = { times: BigInt64Array.of(1n), values: Float64Array.of(1) };
    {
      await using spool = await PointSpool.open(folder, 1 << 20);
      // deno-lint-ignore no-explicit-any
      await spool.append([{ column, points }] as any);
      for (const { name } of Deno.readDirSync(folder)) {
        assertEquals(dir.mode(`spool/${name}`), 0o600, name);
      }
    }
    assertEquals(dir.mode("spool"), 0o700);
  },
});

Deno.test({
  name: "openEngine: refuses links where files beside the database belong",
  ignore,
  async fn() {
    for (const suffix of ["-lock", "-wal", "-shm"]) {
      await using dir = await planted([`grid.btrdb${suffix}`]);
      const error = await rejection(openEngine({ path: `${dir.path}/grid.btrdb` }));
      assertEquals(error.status, "CANNOT_OPEN");
      assertEquals(error.message.includes("symbolic link"), true, error.message);
    }
  },
});
