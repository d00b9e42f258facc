import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openEngine, verify } from "../../../src/engine/mod.ts";
import { CRASH_STREAMS, crashUuid } from "../../support/crash_plan.ts";
import {
  build,
  columns,
  readAll,
  rejection,
  uuid,
  withDirectory,
} from "../../support/database_file.ts";

Deno.test("openEngine: a second writer is refused, in this process and in another", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    const first = await openEngine({ path });
    const error = await rejection(openEngine({ path }));
    assertEquals(error.status, "LOCKED");
    assertStringIncludes(error.message, "another writer has it open");
    await Deno.symlink(path, `${directory}/link.btrdb`);
    assertEquals(
      (await rejection(openEngine({ path: `${directory}/link.btrdb` }))).status,
      "LOCKED",
    );
    const url = new URL("../../../src/engine/mod.ts", import.meta.url).href;
    const code = `import { openEngine } from ${JSON.stringify(url)};
      await openEngine({ path: ${JSON.stringify(path)} }).then(() => console.log("open"),
        (error) => console.log(error.status));`;
    const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", code] }).output();
    assertEquals(new TextDecoder().decode(stdout).trim(), "LOCKED");
    await first.close();
    await (await openEngine({ path })).close();
  });
});

Deno.test("openEngine: a reader beside the writer sees what was committed and cannot write", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    await build(path);
    await using writer = await openEngine({ path });
    await using reader = await openEngine({ path, readOnly: true });
    assertEquals(await readAll(reader), await readAll(writer));
    await writer.insert({ uuid, columns: columns(200_000, 70) });
    assertEquals(await readAll(reader), await readAll(writer));
    await writer.flush(uuid);
    assertEquals(await readAll(reader), await readAll(writer));
    const request = { uuid, time: 50_000_000n, version: 0n, backward: false };
    assertEquals(await reader.nearest(request), await writer.nearest(request));
    const none = new Map<string, string>();
    const all = { collection: "", isCollectionPrefix: true, tags: none, annotations: none };
    assertEquals(
      await Array.fromAsync(reader.lookupStreams(all)),
      await Array.fromAsync(writer.lookupStreams(all)),
    );
    const query = { query: "SELECT name FROM streams", params: [] };
    assertEquals(await Array.fromAsync(reader.sqlQuery(query)), [['{"name":"s"}']]);
    const since = { uuid, from: 11n, to: 0n, resolution: 30 };
    assertEquals(
      await Array.fromAsync(reader.changes(since)),
      await Array.fromAsync(writer.changes(since)),
    );
    const error = await rejection(reader.insert({ uuid, columns: columns(0, 1) }));
    assertEquals(error.status, "READ_ONLY");
    assertEquals((await verify(path)).problems, []);
  });
});

Deno.test("openEngine: a reader beside a busy writer in another process always sees one state", async () => {
  await withDirectory(async (directory) => {
    const path = `${directory}/grid.btrdb`;
    const engine = await openEngine({ path });
    for (let stream = 0; stream < CRASH_STREAMS; stream++) {
      const tags = new Map([["name", `s${stream}`]]);
      const annotations = new Map();
      await engine.create({ uuid: crashUuid(stream), collection: "busy", tags, annotations });
    }
    await engine.close();
    const writer = new URL("../../support/crash_writer.ts", import.meta.url).pathname;
    const args = ["run", "-A", "--no-check", writer, path, "-1", ...Array(CRASH_STREAMS).fill("0")];
    const child = new Deno.Command(Deno.execPath(), { args, stdout: "null" }).spawn();
    try {
      await using reader = await openEngine({ path, readOnly: true });
      let last = 0n;
      for (let i = 0; i < 400 || last < 20n; i++) {
        const range = { uuid: crashUuid(i % 4), start: 0n, end: 2n ** 61n, version: 0n };
        const chunks = await Array.fromAsync(reader.rawValues({ ...range, end: range.start + 1n }));
        const { major } = chunks[0]!.version;
        if (i % 4 === 0) {
          assert(major >= last);
          last = major;
        }
        if (i % 50 === 0) await Array.fromAsync(reader.rawValues(range));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
    assertEquals((await verify(path)).problems, []);
  });
});
