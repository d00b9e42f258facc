import { assertEquals, assertMatch } from "@std/assert";
import type { BTrDB, Stream } from "@btrdb/btrdb";
import { freePort } from "../../support/free_port.ts";
import { codeBlocks, permissionsOf, quickStart, readmeSection } from "../../support/readme.ts";
import { runDeno, withFolder } from "../../support/run.ts";

const ROOT = new URL("../../../", import.meta.url);
const CONFIG = new URL("deno.json", ROOT).pathname;

/** Runs the quick start on another target with the permissions that the README lists for it. */
async function runQuickStart(target: string, listed: string): Promise<string[]> {
  return await withFolder(async (folder) => {
    const program = (await quickStart()).replace(`"memory:"`, `"${target}"`);
    await Deno.writeTextFile(`${folder}/quick_start.ts`, program);
    const permissions = (await permissionsOf(listed))
      .map((flag) => flag.replace("10.0.0.7:4410", target));
    const flags = [...permissions, "--no-prompt", "--config", CONFIG];
    const { code, stdout, stderr } = await runDeno(
      [
        "run",
        "--quiet",
        target === "memory:" ? "--check" : "--no-check",
        ...flags,
        "quick_start.ts",
      ],
      { cwd: folder },
    );
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
    return stdout.trimEnd().split("\n");
  });
}

/** Checks the windows that the quick start prints against its formula. */
function expectWindows(lines: readonly string[]): void {
  const start = 1767225600n * 1_000_000_000n;
  const found = new Map<bigint, number[]>();
  for (let i = 0; i < 1200; i++) {
    const key = (start + BigInt(i) * 1_000_000_000n / 120n) >> 31n << 31n;
    if (key < (start >> 31n << 31n) || key >= ((start + 10n * 1_000_000_000n) >> 31n << 31n)) {
      continue;
    }
    found.set(key, [...found.get(key) ?? [], 7200 + 10 * Math.sin(i / 30)]);
  }
  assertEquals(lines.length, found.size);
  [...found.values()].forEach((values, i) => {
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    const [min, max] = [Math.min(...values), Math.max(...values)];
    assertMatch(lines[i]!, /^20(25|26)-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z {2}/);
    assertEquals(
      lines[i]!.slice(32),
      `${min.toFixed(1)} to ${max.toFixed(1)}, mean ${mean.toFixed(1)}, ${values.length} points`,
    );
  });
}

for (const target of ["memory:", "file:grid.btrdb"]) {
  Deno.test(`README: the quick start runs on ${target} with the permissions it lists`, async () => {
    const lines = await runQuickStart(target, `"${target}"`);
    const windows = lines.filter((line) => /^20\d\d-/.test(line));
    expectWindows(windows);
    assertEquals(lines.slice(windows.length), [
      "120 points of version 10",
      "600 points now, 1200 in version 11",
    ]);
  });
}

const SERVER = `
import { connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
await using db = await connect("memory:");
await using server = await serve(db, { port: PORT });
console.log("ready");
await Array.fromAsync(Deno.stdin.readable);
`;

Deno.test("README: a server and a client run with the permissions it lists", async () => {
  await withFolder(async (folder) => {
    const port = String(freePort());
    await Deno.writeTextFile(`${folder}/serve.ts`, SERVER.replace("PORT", port));
    const flags = (await permissionsOf("serve(db, { port: 4410 })"))
      .map((flag) => flag.replace("4410", port));
    const server = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", "--config", CONFIG, ...flags, "serve.ts"],
      cwd: folder,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = server.stdout.getReader();
    try {
      assertEquals(new TextDecoder().decode((await reader.read()).value), "ready\n");
      const lines = await runQuickStart(`127.0.0.1:${port}`, `"10.0.0.7:4410"`);
      assertEquals(lines.at(-1), "600 points now, 1200 in version 11");
    } finally {
      await server.stdin.close();
      await reader.cancel();
      assertEquals((await server.status).code, 0);
    }
  });
});

Deno.test("README: a project with the configuration of Install finds this version", async () => {
  const { name, version } = JSON.parse(await Deno.readTextFile(CONFIG));
  const config = JSON.parse(codeBlocks(await readmeSection("## Install"), "json")[0]!);
  assertEquals(config.imports, { [name]: `jsr:${name}@^${version}` });
  await withFolder(async (folder) => {
    config.links = [new URL(".", ROOT).pathname];
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
    await Deno.writeTextFile(`${folder}/main.ts`, await quickStart());
    const { code, stdout, stderr } = await runDeno(["run", "--no-prompt", "main.ts"], {
      cwd: folder,
    });
    assertEquals(code, 0, stderr);
    assertEquals(stdout.trimEnd().split("\n").at(-1), "600 points now, 1200 in version 11");
  });
});

Deno.test("README: its two commands are tasks", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const commands = (await readmeSection("## See it run")).matchAll(
    /^npx -y deno@[\d.]+ task (\w+)/gm,
  );
  assertEquals([...commands].map((match) => match[1]), ["demo", "test"]);
  assertEquals(["demo", "test"].every((name) => typeof tasks[name] === "string"), true);
});

Deno.test("README: every name in its API table exists", async () => {
  const api: Record<string, unknown> = await import("@btrdb/btrdb");
  const methods: Record<string, object> = {
    db: (api.BTrDB as typeof BTrDB).prototype,
    stream: (api.Stream as typeof Stream).prototype,
  };
  const missing: string[] = [];
  const rows = (await readmeSection("## API")).split("\n").filter((line) => line.startsWith("| `"));
  for (const row of rows) {
    let owner: string | undefined;
    for (const [, code] of row.split("|")[1]!.matchAll(/`([^`]+)`/g)) {
      const name = /^(?:(\w+)\.)?(\w+)/.exec(code!)!;
      owner = name[1] ?? owner;
      const found = owner === undefined ? name[2]! in api : name[2]! in methods[owner]!;
      if (!found) missing.push(code!);
    }
  }
  assertEquals(missing, []);
  assertEquals(rows.length >= 5, true);
});

Deno.test("README: every entry point it names is exported", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const text = await readmeSection("## API");
  const sentence = text.slice(text.indexOf("Entry points:")).replace(/\n\n[^]*$/, "");
  const named = [...sentence.matchAll(/`\/(\w+)`/g)].map((match) => `./${match[1]}`);
  assertEquals([".", ...named].toSorted(), Object.keys(exports).toSorted());
});
