/** Notes that a distillate keeps on its outputs: when they count, and when they do not. */

import { BTrDBError, connect, ErrorCode, MAX_TIME, MIN_TIME } from "@btrdb/btrdb";
import { distil, type DistilDefinition, listDistillates } from "@btrdb/btrdb/distil";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { doubled, input, output, pairsOf } from "../../support/distil.ts";
import { withFolder } from "../../support/run.ts";

Deno.test("distil: after an error of compute the notes are as before, and the next run does it all", async () => {
  await using db = await connect("memory:");
  const a = await input(db, "a", [[1n, 1]]);
  let fails = false;
  const plain = doubled();
  const one = distil(db, {
    ...plain,
    compute: (range) => {
      if (fails) throw new Error("no luck");
      return plain.compute(range);
    },
  });
  await one.run();
  await a.insert([[2n, 2]]);
  fails = true;
  const error = await assertRejects(() => one.run(), Error, "compute failed: no luck");
  assertEquals((error.cause as Error).message, "no luck");
  assertEquals((await one.status()).lease, null, "the lease was given back");
  assertEquals(await pairsOf(await output(db, "b")), [[1n, 2]]);
  fails = false;
  await one.run();
  assertEquals(await pairsOf(await output(db, "b")), [[1n, 2], [2n, 4]]);
});

Deno.test("distil: an output belongs to one definition", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1]]);
  const two = { b: "out/b", c: "out/c" };
  const compute: DistilDefinition["compute"] = ({ inputs: { a } }) => ({ b: a!, c: a! });
  await distil(db, doubled({ outputs: two, compute })).run();
  const refused = async (own: Partial<DistilDefinition>, text: string): Promise<void> => {
    const error = await assertRejects(() => distil(db, doubled(own)).run(), BTrDBError, text);
    assertEquals(error.code, ErrorCode.ObjectInUse);
  };
  await refused({ name: "other" }, 'belongs to "doubled"');
  await refused({ name: "other", outputs: { b: "out/c" } }, 'belongs to "doubled"');
  await refused({ name: "other", outputs: { d: "out/d", b: "out/c" } }, 'belongs to "doubled"');
  await refused({ name: "other", outputs: { d: "out/d", b: "out/b" } }, 'belongs to "doubled"');
  const known = await Array.fromAsync(listDistillates(db));
  assertEquals(known.map(({ name }) => name).sort(), ["doubled"]);
});

Deno.test("distil: outputs that were obliterated are made again, and marks left by them are old", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1]]);
  const two = { b: "out/b", c: "out/c" };
  const compute: DistilDefinition["compute"] = ({ inputs: { a } }) => ({ b: a!, c: a! });
  const one = distil(db, doubled({ outputs: two, compute }));
  await one.run();
  for (const name of ["b", "c"]) {
    await (await output(db, name)).obliterate();
    assert((await one.run()).full, name);
    for (const name of ["b", "c"]) assertEquals(await pairsOf(await output(db, name)), [[1n, 1]]);
  }
  // An output that is given up by one definition may become the first one of another.
  await distil(db, doubled()).run();
  await distil(db, doubled({ name: "other", outputs: { b: "out/c" } })).run();
  assertEquals(await pairsOf(await output(db, "c")), [[1n, 2]]);
});

Deno.test("distil: annotations of others on the first output do not disturb a run", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1]]);
  const plain = doubled();
  await distil(db, {
    ...plain,
    compute: async (range) => {
      await (await output(db, "b")).setAnnotations({ note: "busy" });
      return plain.compute(range);
    },
  }).run();
  const [annotations] = await (await output(db, "b")).annotations();
  assertEquals([annotations["note"], annotations["distil.lease"]], ["busy", undefined]);
});

Deno.test("distil: notes that are damaged lead to a full computation", async () => {
  await using db = await connect("memory:");
  await input(db, "a", [[1n, 1]]);
  await distil(db, doubled()).run();
  const b = await output(db, "b");
  const damages = {
    "distil.in.0": "a b",
    "distil.out.0": null,
    "distil.reach": "x y",
    "distil.at": "z",
  };
  for (const [key, value] of Object.entries(damages)) {
    await b.setAnnotations({ [key]: value });
    const { full, written } = await distil(db, doubled()).run();
    assertEquals([full, written], [true, 0], key);
  }
});

Deno.test("distil: notes that no run can have made lead to a full computation, and not to an error", async () => {
  await using db = await connect("memory:");
  const a = await input(db, "a", [[1n, 1]]);
  await distil(db, doubled()).run();
  await a.insert([[2n, 2]]);
  await distil(db, doubled()).run();
  const b = await output(db, "b");
  const [notes] = await b.annotations();
  const changed = (key: string, at: number, word: string) =>
    notes[key]!.split(" ").with(at, word).join(" ");
  const numbers = [
    "-1",
    "NaN",
    "1e3",
    "Infinity",
    String(2n ** 63n),
    String(2n ** 70n),
    "9".repeat(20),
  ];
  const forged: [string, string][] = [
    ...numbers.map((n): [string, string] => ["distil.in.0", changed("distil.in.0", 2, n)]),
    ...numbers.map((n): [string, string] => ["distil.in.0", changed("distil.in.0", 4, n)]),
    ...numbers.map((n): [string, string] => ["distil.out.0", changed("distil.out.0", 2, n)]),
    ...numbers.map((n): [string, string] => ["distil.at", n]),
    ["distil.at", String(MIN_TIME - 1n)],
    ["distil.at", String(MAX_TIME + 1n)],
    ["distil.reach", "-1 0"],
    ["distil.in.0", changed("distil.in.0", 3, "a".repeat(100))],
  ].filter(([, value]) => value !== "-1") as [string, string][];
  for (const [key, value] of forged) {
    await b.setAnnotations({ [key]: value });
    await a.insert([[3n, 3]]);
    await distil(db, doubled()).run();
    assertEquals((await pairsOf(b)).slice(0, 3), [[1n, 2], [2n, 4], [3n, 6]], `${key}: ${value}`);
    await a.deleteRange(3n, 4n);
    await distil(db, doubled()).run();
    assertEquals(await pairsOf(b), [[1n, 2], [2n, 4]], `${key}: ${value}`);
  }
  // A job whose target is before what was done.
  const [now] = await b.annotations();
  const words = now["distil.in.0"]!.split(" ");
  await b.setAnnotations({ "distil.in.0": words.with(4, "1").join(" "), "distil.at": "0" });
  await a.insert([[3n, 3]]);
  await distil(db, doubled()).run();
  assertEquals(await pairsOf(b), [[1n, 2], [2n, 4], [3n, 6]]);
});

Deno.test("distil: a database restored from a backup is computed anew, although its versions fit", async () => {
  await withFolder(async (folder) => {
    const path = `file:${folder}/a.btrdb`;
    {
      await using db = await connect(path);
      await input(db, "a", [[1n, 1]]);
      await distil(db, doubled()).run();
    }
    await Deno.copyFile(`${folder}/a.btrdb`, `${folder}/backup`);
    {
      await using db = await connect(path);
      const [a] = await Array.fromAsync(db.lookupStreams("in"));
      await a!.insert([[2n, 2]]);
      await distil(db, doubled()).run();
    }
    // The notes of the later state, on the inputs of the earlier one with another history.
    await using db = await connect(path);
    const notes = (await (await output(db, "b")).annotations())[0];
    await Deno.copyFile(`${folder}/backup`, `${folder}/b.btrdb`);
    await using old = await connect(`file:${folder}/b.btrdb`);
    const [a] = await Array.fromAsync(old.lookupStreams("in"));
    await a!.insert([[7n, 7]]);
    await a!.flush();
    await a!.insert([[8n, 8]]);
    const b = await output(old, "b");
    await b.insert([[2n, 4]]);
    await b.flush();
    await b.setAnnotations(notes);
    assert((await distil(old, doubled()).run()).full);
    assertEquals(await pairsOf(b), [[1n, 2], [7n, 14], [8n, 16]]);
  });
});

Deno.test("distil: versions that go back, and versions that were pruned, are computed anew", async () => {
  await using db = await connect("memory:");
  const a = await input(db, "a", [[1n, 1]]);
  const one = distil(db, doubled());
  await one.run();
  const b = await output(db, "b");
  const { "distil.in.0": note } = (await b.annotations())[0];
  await b.setAnnotations({ "distil.in.0": note!.replace(" 11 ", " 99 ") });
  assert((await distil(db, doubled()).run()).full);
  await a.insert([[2n, 2]]);
  await a.prune(await a.flush());
  assert((await one.run()).full);
  assertEquals(await pairsOf(b), [[1n, 2], [2n, 4]]);
});
