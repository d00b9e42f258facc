/** The command and the program that the plotter copies, as they are run by those who paste them. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect, SECOND, toNanoseconds } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { commandOf, programOf } from "../../src/web/plotter/snippets.ts";

const ROOT = new URL("../../", import.meta.url);
const START = toNanoseconds("2026-01-01T00:00:00Z");

async function run(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  assertEquals(code, 0, text.decode(stderr));
  return text.decode(stdout);
}

Deno.test("commandOf, programOf: what was copied runs, and reads what was on show", async () => {
  await using db = await connect("memory:");
  const tags = { name: 'it\'s "quoted" $HOME `id` */', unit: "V" };
  const stream = await db.create(crypto.randomUUID(), "grid/a b", { tags });
  await stream.insert(Array.from({ length: 100 }, (_, i): [bigint, number] => [
    START + BigInt(i) * SECOND,
    i === 50 ? 300 : 230,
  ]));
  await stream.flush();
  const version = await stream.version();
  await stream.insert([[START + 1n, 900]]);
  await stream.flush();
  await using server = await serve(db, { port: 0, hostname: "127.0.0.1", http: { port: 0 } });
  const view = {
    origin: `http://127.0.0.1:${server.httpPort}`,
    span: { start: START, end: START + 100n * SECOND },
    zone: "Europe/Berlin",
    windows: 50,
    streams: [{ uuid: stream.uuid, path: `grid/a b/${tags.name}`, version }],
  };
  const folder = await Deno.makeTempDir();
  try {
    // `btrdb` is whatever is installed under that name.
    const btrdb = `${folder}/btrdb`;
    const script =
      `#!/bin/sh\nexec "${Deno.execPath()}" run -A "${ROOT.pathname}src/cli/main.ts" "$@"\n`;
    await Deno.writeTextFile(btrdb, script, { mode: 0o755 });
    const plot = await run("/bin/sh", ["-c", `PATH="${folder}:$PATH"; ${commandOf(view)}`]);
    assertMatch(plot, /[⠀-⣿]/);
    assertStringIncludes(plot, "01:00");
    const program = `${folder}/view.ts`;
    await Deno.writeTextFile(program, programOf(view));
    const config = `${ROOT.pathname}deno.json`;
    const args = ["run", "-A", "--check", "--no-lock", "--config", config, program];
    const printed = await run(Deno.execPath(), args);
    assertStringIncludes(printed, 'unit: "V"');
    // 50 windows, and at the version on show there is no 900 yet.
    assertMatch(printed, /\} 50 Float64Array\(50\)/);
    assertStringIncludes(printed, "300");
    assertEquals(printed.includes("900"), false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
