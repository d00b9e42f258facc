import { assertEquals, assertRejects } from "@std/assert";
import { type BTrDB, connect } from "../../../mod.ts";
import { CliError } from "../../../src/cli/errors.ts";
import {
  resolveStream,
  resolveStreams,
  splitPath,
  streamsByPath,
} from "../../../src/cli/words/stream_names.ts";

const U1 = "00000000-0000-4000-8000-000000000001";
const U2 = "00000000-0000-4000-8000-000000000002";

async function grid(): Promise<BTrDB> {
  const db = await connect("memory:");
  await db.create(U1, "pmu/a", { tags: { name: "MAG", phase: "A" } });
  await db.create(U2, "pmu/a", { tags: { name: "MAG", phase: "B" } });
  await db.create(crypto.randomUUID(), "pmu/a", { tags: { name: "FREQ" } });
  await db.create(crypto.randomUUID(), "pmu", { tags: { name: "a/deep" } });
  await db.create("00000000-0000-4000-8000-00000000000f", "bare");
  return db;
}

async function failure(db: BTrDB, text: string): Promise<CliError> {
  return await assertRejects(() => resolveStream(db, text), CliError);
}

Deno.test("resolveStream: by uuid, by path, with slashes in names, without a name", async () => {
  await using db = await grid();
  assertEquals((await resolveStream(db, U2)).path, "pmu/a/MAG");
  assertEquals((await resolveStream(db, U2.replaceAll("-", "").toUpperCase())).uuid, U2);
  assertEquals((await resolveStream(db, "pmu/a/FREQ")).collection, "pmu/a");
  assertEquals((await resolveStream(db, "pmu/a/deep")).collection, "pmu");
  const bare = await resolveStream(db, "bare/00000000-0000-4000-8000-00000000000f");
  assertEquals([bare.name, bare.path], [undefined, `bare/${bare.uuid}`]);
});

Deno.test("resolveStream: several of one name are listed, not chosen from", async () => {
  await using db = await grid();
  const error = await failure(db, "pmu/a/MAG");
  assertEquals([error.exit, error.message], [2, "Several streams are called pmu/a/MAG"]);
  assertEquals(error.hint, `use the uuid: ${U1} phase=A; ${U2} phase=B`);
});

Deno.test("resolveStream: unknown ones list what is near", async () => {
  await using db = await grid();
  const hint = async (text: string): Promise<string | undefined> => {
    const error = await failure(db, text);
    assertEquals(error.exit, 3);
    return error.hint;
  };
  assertEquals(await hint("pmu/a/FRQE"), "did you mean pmu/a/FREQ or pmu/a/deep?");
  assertEquals(await hint("pum/a/FREQ"), "did you mean pmu/a/FREQ?");
  assertEquals(await hint("freq"), "did you mean pmu/a/FREQ?");
  assertEquals(await hint("nothing/like/it"), "`btrdb ls -l` lists what is there");
});

Deno.test("resolveStreams: whole collections, each stream once", async () => {
  await using db = await grid();
  const all = await resolveStreams(db, ["pmu/a/FREQ", "pmu/a/*", U1]);
  assertEquals(all.map(({ path }) => path), ["pmu/a/FREQ", "pmu/a/MAG", "pmu/a/MAG"]);
  await assertRejects(() => resolveStreams(db, ["pmu/b/*"]), CliError, "no streams in collection");
});

Deno.test("streamsByPath: each collection once it has ended, all in the order of their names", async () => {
  await using db = await connect("memory:");
  // In the order of keys, collection a is between those below it.
  const pieces = [["a-b/x"], ["a/a", "a/b-/x", "a/b/c/z", "a/bb", "a/z", "a/zz/x"], ["b/x/y"], [
    "b/z/c/y",
  ], ["bb/x", "bb/y"]];
  for (const path of pieces.flat().toReversed()) {
    const at = path.lastIndexOf("/");
    await db.create(crypto.randomUUID(), path.slice(0, at), { tags: { name: path.slice(at + 1) } });
  }
  let read = 0;
  const counted = {
    listCollections: (prefix: string) => db.listCollections(prefix),
    async *lookupStreams(...args: Parameters<BTrDB["lookupStreams"]>) {
      for await (const stream of db.lookupStreams(...args)) {
        read++;
        yield stream;
      }
    },
  } as Partial<BTrDB> as BTrDB;
  const found: string[][] = [], readBefore: number[] = [];
  for await (const streams of streamsByPath(counted, "")) {
    found.push(streams.map(({ path }) => path));
    readBefore.push(read);
  }
  assertEquals(found, pieces);
  assertEquals(readBefore, [2, 8, 9, 10, 11]);
  const below = await Array.fromAsync(streamsByPath(db, "a/b"));
  assertEquals(below.map((streams) => streams.map(({ path }) => path)), [["a/b-/x"], ["a/b/c/z"]]);
});

Deno.test("splitPath: a path at each of its slashes", () => {
  assertEquals([...splitPath("a/b/c")], [
    { collection: "a/b", name: "c" },
    { collection: "a", name: "b/c" },
  ]);
  assertEquals([...splitPath("a")], []);
  assertEquals([...splitPath("/a")], []);
  assertEquals([...splitPath("a/")], []);
});
