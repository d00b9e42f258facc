/** The program in docs/importing.md, run as it stands there. */

import { assert, assertStringIncludes } from "@std/assert";

const ROOT = new URL("../../../", import.meta.url);

Deno.test("docs/importing.md: its program imports a folder", async () => {
  const text = await Deno.readTextFile(new URL("docs/importing.md", ROOT));
  const program = /```ts\n([\s\S]*?)```/.exec(text)?.[1];
  assert(program !== undefined, "there is no program");
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${folder}/incoming`);
    await Deno.writeTextFile(`${folder}/incoming/a.csv`, "time,v\n2026-03-01T00:00:00Z,1\n");
    await Deno.writeTextFile(`${folder}/incoming/b.csv`, "time,v\n2026-03-01T00:00:01Z,2\n");
    await Deno.writeTextFile(`${folder}/incoming/notes.txt`, "nothing");
    await Deno.writeTextFile(`${folder}/program.ts`, program);
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--config", new URL("deno.json", ROOT).pathname, "program.ts"],
      cwd: folder,
      env: { BTRDB_STATE_DIR: `${folder}/state`, NO_COLOR: "1" },
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const said = new TextDecoder().decode(stdout);
    assertStringIncludes(said, "a.csv 1n");
    // Two files into one stream, each counted by itself.
    assertStringIncludes(said, "b.csv 1n");
    assert(!said.includes("notes"), said);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
