/** Imports of one file at the same time, by one program or by several. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { connect } from "../../../mod.ts";
import { ImportError, importFile } from "../../../src/ingest/mod.ts";
import { lockImport } from "../../../src/ingest/import_lock.ts";

async function folderOf(
  files: Record<string, string>,
): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir();
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

// Only the command had a lock: two calls stored each point twice, and both said that all was well.
Deno.test("importFile: a file that is being imported with the same options is refused", async () => {
  await using folder = await folderOf({ "in.csv": "time (ns),v,w\n1,1,2\n2,2,3\n" });
  await using db = await connect("memory:");
  const { path } = folder;
  const options = { into: "c", stateFolder: `${path}/state` };
  const inputs = [`${path}/in.csv`, `${path}/./in.csv`, new URL(`file://${path}/in.csv`)];
  const calls = await Promise.allSettled(inputs.map((input) => importFile(db, input, options)));
  assertEquals(calls.map(({ status }) => status), ["fulfilled", "rejected", "rejected"]);
  const { reason } = calls[1] as PromiseRejectedResult;
  assertEquals(
    reason.message,
    `Cannot import ${path}/./in.csv: another import of it into this database, with the same ` +
      "options, is under way",
  );
  const [v] = await Array.fromAsync(db.lookupStreams("c", { tags: { name: "v" } }));
  assertEquals(await v!.count(), 2n);
  // Other columns have points of their own, and what has ended or failed is in nobody's way.
  const [one, other] = await Promise.all(
    ["v", "w"].map((column, i) =>
      importFile(db, inputs[0]!, { ...options, into: `d${i}`, columns: [column] })
    ),
  );
  assertEquals([one!.points, other!.points], [2n, 2n]);
  await assertRejects(() => importFile(db, inputs[0]!, { ...options, format: "arrow" }), Error);
  await importFile(db, inputs[0]!, options);
  assertEquals(await v!.count(), 4n);
});

Deno.test("lockImport: a target is locked for all connections to it, and for either file of a record", async () => {
  await using folder = await folderOf({ "a.csv": "", "r.cfg": "", "r.dat": "" });
  await using db = await connect("memory:");
  await using other = await connect("memory:");
  const at = (name: string) => `${folder.path}/${name}`;
  const options = { stateFolder: at("state"), target: "t" };
  using _held = lockImport(db, at("a.csv"), options);
  assertThrows(() => lockImport(other, at("a.csv"), options), ImportError, "is under way");
  lockImport(other, at("a.csv"), { ...options, target: "u" })![Symbol.dispose]();
  using _record = lockImport(db, at("r.cfg"), options);
  assertThrows(() => lockImport(db, at("r.dat"), options), ImportError, "is under way");
  // Without a target, two databases have nothing in common but the file.
  using _nameless = lockImport(db, at("a.csv"), { stateFolder: at("state") });
  lockImport(other, at("a.csv"), { stateFolder: at("state") })![Symbol.dispose]();
});

Deno.test("lockImport: another file, other options and bytes are free; links and pipes are replaced", async () => {
  await using folder = await folderOf({ "a.csv": "time,V\n", "b.csv": "time,V\n" });
  await using db = await connect("memory:");
  const { path } = folder;
  const state = `${path}/state`;
  const options = { into: "f", start: 5n, target: "t", stateFolder: state };
  assertEquals(lockImport(db, new Uint8Array(), options), undefined);
  const held = lockImport(db, `${path}/a.csv`, options)!;
  assertThrows(() => lockImport(db, `${path}/a.csv`, { ...options, resume: true }), ImportError);
  lockImport(db, `${path}/a.csv`, { ...options, into: "g" })![Symbol.dispose]();
  lockImport(db, `${path}/b.csv`, options)![Symbol.dispose]();
  const [entry, ...others] = await Array.fromAsync(Deno.readDir(state));
  assertEquals(others, []);
  const place = `${state}/${entry!.name}`;
  held[Symbol.dispose]();
  const plant: (() => Promise<unknown>)[] = [
    () => Deno.symlink(`${path}/elsewhere`, place),
    () => new Deno.Command("mkfifo", { args: [place] }).output(),
  ];
  for (const put of plant) {
    await put();
    using _lock = lockImport(db, `${path}/a.csv`, options);
    const { isFile, mode } = Deno.lstatSync(place);
    assertEquals([isFile, mode! & 0o777], [true, 0o600]);
  }
  assertThrows(() => Deno.lstatSync(`${path}/elsewhere`), Deno.errors.NotFound);
});
