/** Records of COMTRADE through `btrdb import` and `btrdb export`. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { makeComtrade } from "../support/comtrade.ts";
import { btrdb, workspace } from "./support.ts";

const RECORD = {
  station: "SUB 7",
  device: "RELAY/1",
  analogs: ["1,VA,A,CB1,kV,0.5,0,0,-9,9,100,1,S", "2,I/A,A,CB1,A,1,0,0,-9,9,1,1,P"],
  samples: [[1, 2, 3], [4, undefined, 6]],
  states: [[0, 1, 1]],
  statuses: ["1,52A,,CB1,0"],
};

Deno.test("import: a folder of records, with what a plan says of one", async () => {
  await using space = await workspace();
  const folder = `${space.path}/records`;
  await Deno.mkdir(folder);
  for (const [name, first] of [["a", "01"], ["B", "02"]]) {
    const made = makeComtrade({ ...RECORD, first: `${first}/02/2020,00:00:00.000000` });
    await Deno.writeFile(`${folder}/${name}.CFG`, made.configuration);
    await Deno.writeFile(`${folder}/${name}.DAT`, made.samples);
    await Deno.writeTextFile(`${folder}/${name}.HDR`, "by hand");
  }
  await Deno.writeTextFile(`${folder}/c.csv.part`, "time,v\n");
  const target = `file:${space.path}/g.btrdb`;
  const plan = await btrdb(["import", "--explain", `${folder}/a.DAT`], { env: space.env });
  assertEquals(plan.code, 0, plan.stderr);
  for (
    const text of ["format: comtrade", "SUB 7/RELAY/1/VA in kV: 0.5, 1, 1.5", "by the rate, 1000/s"]
  ) {
    assertStringIncludes(plan.stdout, text);
  }
  const done = await btrdb(["-d", target, "import", folder, "--values", "primary"], {
    env: space.env,
  });
  assertEquals(done.code, 0, done.stderr);
  assertStringIncludes(done.stderr, "Left out c.csv.part");
  await using db = await connect(target);
  const streams = await Array.fromAsync(db.lookupStreams("SUB 7/RELAY/1"));
  const names = await Promise.all(streams.map(async (stream) => (await stream.tags()).name));
  const [va, i, state] = ["VA", "I/A", "52A"].map((name) => streams[names.indexOf(name)]);
  const counts = await Promise.all([va, i, state].map((stream) => stream!.count()));
  assertEquals(counts, [6n, 4n, 6n]);
  assertEquals(await va!.tags(), { name: "VA", unit: "kV" });
  const [annotations] = await va!.annotations();
  assertEquals(annotations, {
    circuit: "CB1",
    device: "RELAY/1",
    phase: "A",
    ratio: "100/1, values secondary",
    source: "B.CFG",
    trigger: "2020-02-01T03:04:05.500000000Z",
  });
});

Deno.test("import: all files of a record named, and it is stored once", async () => {
  await using space = await workspace();
  const made = makeComtrade(RECORD);
  await Deno.writeFile(`${space.path}/a.cfg`, made.configuration);
  await Deno.writeFile(`${space.path}/a.dat`, made.samples);
  await Deno.writeTextFile(`${space.path}/a.hdr`, "by hand");
  const result = await btrdb(["import", "a.cfg", "a.dat", "a.hdr", "--explain", "--json"], {
    env: space.env,
    cwd: space.path,
  });
  assertEquals(result.code, 0, result.stderr);
  assertEquals(JSON.parse(result.stdout).plans.length, 1);
});

Deno.test("import: a record is known again whichever of its files is named, and changed samples are", async () => {
  await using space = await workspace();
  const [one, other] = [RECORD, { ...RECORD, samples: [[7, 8, 9], [1, 2, 3]] }].map((record) =>
    makeComtrade({ ...record, type: "BINARY" })
  );
  await Deno.writeFile(`${space.path}/a.cfg`, one!.configuration);
  await Deno.writeFile(`${space.path}/a.dat`, one!.samples);
  const run = (...args: string[]) =>
    btrdb(["-d", `file:${space.path}/g.btrdb`, "import", ...args], {
      env: space.env,
      cwd: space.path,
    });
  assertEquals((await run("a.cfg")).code, 0);
  const again = await run("a.dat", "--resume");
  assertStringIncludes(again.stderr, "Nothing new");
  // Samples of the same length, of another event: nothing of them may follow what is stored.
  await Deno.writeFile(`${space.path}/a.dat`, other!.samples);
  const changed = await run("a.dat", "--resume");
  assertStringIncludes(changed.stderr, "the samples of");
  assertStringIncludes(changed.stderr, "were changed since the import began");
  assertEquals(changed.code, 1);
});

Deno.test("export: a record comes back as the same points", async () => {
  await using space = await workspace();
  const made = makeComtrade({ ...RECORD, type: "FLOAT32" });
  await Deno.writeFile(`${space.path}/a.cfg`, made.configuration);
  await Deno.writeFile(`${space.path}/a.dat`, made.samples);
  const [first, second] = [`file:${space.path}/1.btrdb`, `file:${space.path}/2.btrdb`];
  const run = async (...args: string[]) => {
    const result = await btrdb(args, { env: space.env, cwd: space.path });
    assertEquals(result.code, 0, result.stderr);
    return result.stdout;
  };
  await run("-d", first, "import", "a.cfg");
  await run("-d", first, "export", "SUB 7/RELAY/1/VA", "SUB 7/RELAY/1/I/A", "-o", "out.cff");
  await run("-d", second, "import", "out.cff");
  for (const stream of ["SUB 7/RELAY/1/VA", "SUB 7/RELAY/1/I/A"]) {
    const csv = async (target: string) => await run("-d", target, "export", stream);
    assertEquals(await csv(second), await csv(first));
  }
  const refused = await btrdb(["-d", first, "export", "SUB 7/RELAY/1/VA", "-f", "comtrade"], {
    env: space.env,
  });
  assertStringIncludes(refused.stderr, "expected -o with a name ending with .cfg or .cff");
  const csv = await btrdb(["-d", first, "export", "SUB 7/RELAY/1/VA", "--type", "ascii"], {
    env: space.env,
  });
  assertStringIncludes(csv.stderr, "Cannot use --type with csv");
});
