import { assertEquals, assertRejects } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { ImportError, importFile, readColumnMeta } from "@btrdb/btrdb/ingest";

/** Uses a file with a text. */
async function withText(name: string, text: string, use: (path: string) => Promise<unknown>) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/${name}`, text);
    await use(`${folder}/${name}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const META = {
  V: { name: "L1MAG", unit: "kV", tags: { phase: "A" }, annotations: { place: "bay: 7" } },
  I: { unit: "A" },
};

const YAML = `
V:
  name: L1MAG
  unit: kV
  tags: { phase: A }
  annotations:
    place: "bay: 7"
I:
  unit: A
`;

// JSON.parse took the column `a\n` for `a\`: its unit and tags went to a column that has others.
Deno.test("readColumnMeta: names of columns with escapes are told apart", async () => {
  const meta = { "x": { unit: "A" }, "a\\": { unit: "V" }, "a\n": { unit: "W" } };
  await withText("m.json", JSON.stringify({ "x": {}, "a\\": {} }), readColumnMeta);
  const other = { "x": { unit: "A" }, "a\n": { unit: "W" } };
  await withText("m.json", JSON.stringify(other), async (path) => {
    assertEquals(await readColumnMeta(path), other);
  });
  await withText("m.json", JSON.stringify(meta), async (path) => {
    assertEquals(await readColumnMeta(path), meta);
  });
});

Deno.test("readColumnMeta: JSON and YAML say the same", async () => {
  await withText("m.json", JSON.stringify(META), async (path) => {
    assertEquals(await readColumnMeta(path), META);
  });
  for (const name of ["m.yaml", "m.yml"]) {
    await withText(name, YAML, async (path) => assertEquals(await readColumnMeta(path), META));
  }
});

Deno.test("readColumnMeta: streams of an import are made as it says", async () => {
  await withText("m.yaml", YAML, async (path) => {
    await using db = await connect("memory:");
    const table = new TextEncoder().encode("time,V,I\n2026-01-01T00:00:00Z,1,2\n");
    await importFile(db, table, { into: "plant", meta: await readColumnMeta(path) });
    const [stream] = await Array.fromAsync(db.lookupStreams("plant", { tags: { name: "L1MAG" } }));
    assertEquals(await stream!.tags(), { name: "L1MAG", phase: "A", unit: "kV" });
    assertEquals((await stream!.annotations())[0], { place: "bay: 7" });
  });
});

Deno.test("readColumnMeta: anything else is an error that says where", async () => {
  const cases: [string, string, string][] = [
    ["m.json", "{", "Cannot use --meta"],
    ["m.yaml", "a: [1", "Cannot use --meta"],
    ["m.yaml", "- V", "expected an object by the names of columns"],
    ["m.yaml", "V: 3", "column V is no object"],
    ["m.yaml", "V: { unit: 3 }", "column V has unit: 3"],
    ["m.yaml", "V: { units: kV }", 'column V has units: "kV"'],
    ["m.yaml", "V: { tags: { a: 1 } }", 'column V has tags: {"a":1}'],
  ];
  for (const [name, text, message] of cases) {
    await withText(name, text, async (path) => {
      await assertRejects(() => readColumnMeta(path), ImportError, message);
    });
  }
  await assertRejects(() => readColumnMeta("/nowhere.yaml"), ImportError, "There is no file");
});
