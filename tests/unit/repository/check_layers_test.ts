import { assertEquals } from "@std/assert";
import {
  checkGlobals,
  checkLayers,
  layerOf,
  layerTable,
  levelsOf,
} from "../../../tools/check_layers.ts";
import { readGraph } from "../../../tools/support/module_graph.ts";

const ROOT = new URL("../../../", import.meta.url);

/** A package in a temporary folder, with these modules. */
async function withTree(
  files: Record<string, string>,
  body: (root: URL) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    for (const [path, text] of Object.entries({ "deno.json": "{}", "mod.ts": "", ...files })) {
      await Deno.mkdir(`${dir}/${path}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(`${dir}/${path}`, text);
    }
    await body(new URL(`file://${await Deno.realPath(dir)}/`));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Output of the tool for a tree, one line a violation. */
async function report(files: Record<string, string>): Promise<string[]> {
  let lines: string[] = [];
  await withTree(files, async (root) => {
    lines = (await checkLayers(root)).map((v) => `${v.file}:${v.line}: ${v.message}`);
  });
  return lines;
}

Deno.test("layers: a tree that keeps the rules", async () => {
  const lines = await report({
    "mod.ts": `export * from "./src/client/mod.ts";\nexport * from "./src/connect/mod.ts";\n`,
    "src/core/a.ts": "export const a = 1;",
    "src/client/mod.ts": `export * from "../core/a.ts";`,
    "src/client/endpoint_of.ts": "export const e = 1;",
    "src/engine/mod.ts": `import "node:sqlite";\nexport * from "../core/a.ts";`,
    "src/connect/mod.ts": `export const open = (): unknown => import("../engine/mod.ts");`,
    "src/client/btrdb.ts": "export interface B { x: 1 }",
    "src/server/mod.ts": `import type { B } from "../client/btrdb.ts";
      import "../client/endpoint_of.ts";
      export type C = B;`,
    "src/cli/main.ts": `import "../../mod.ts";\nDeno.exit(0);`,
  });
  assertEquals(lines, []);
});

Deno.test("layers: each forbidden import is named by file and line", async () => {
  const lines = await report({
    "src/core/a.ts": `\nimport "../kernel/k.ts";`,
    "src/kernel/k.ts": "",
    "src/engine/mod.ts": "export interface E { x: 1 }",
    "src/client/c.ts": `import type { E } from "../engine/mod.ts";\nexport type F = E;`,
    "src/connect/mod.ts": `import "../engine/mod.ts";`,
    "src/server/s.ts": `import "../client/c.ts";`,
    "src/cli/main.ts": `import "../engine/mod.ts";`,
    "src/grpc/g.ts": `import "node:http2";\nimport "node:fs";`,
    "src/io/i.ts": `import "./gone.ts";`,
    "tools/t.ts": "",
    "src/plot/p.ts": `import "../../tools/t.ts";`,
    "src/strange/x.ts": `import "../core/a.ts";`,
  });
  assertEquals(lines, [
    "src/cli/main.ts:1: cli may not import engine (src/engine/mod.ts)",
    "src/client/c.ts:1: client may not import engine (src/engine/mod.ts)",
    "src/connect/mod.ts:1: connect must import src/engine/mod.ts lazily, with import()",
    "src/core/a.ts:2: core may not import kernel (src/kernel/k.ts)",
    "src/io/i.ts:1: cannot find ./gone.ts",
    "src/plot/p.ts:1: plot may not import anything outside the package (tools/t.ts)",
    "src/server/s.ts:1: server may not import client (src/client/c.ts)",
    "src/strange/x.ts:1: src/strange/x.ts belongs to no layer",
  ]);
});

Deno.test("layers: packages belong to the layers that need them", async () => {
  const lines = await report({
    "src/core/a.ts": `import "node:fs";`,
    "src/kernel/k.ts": `import "node:zlib";`,
    "src/endpoint/e.ts": `import "node:os";`,
  });
  assertEquals(lines, [
    "src/core/a.ts:1: core may not import the package node:fs",
    "src/endpoint/e.ts:1: endpoint may not import the package node:os",
    "src/kernel/k.ts:1: kernel may not import the package node:zlib",
  ]);
});

Deno.test("layers: a cycle is reported once, with its way", async () => {
  const lines = await report({
    "src/core/a.ts": `import "./b.ts";`,
    "src/core/b.ts": `import "./c.ts";`,
    "src/core/c.ts": `// first line\nimport "./a.ts";`,
    "src/core/lazy.ts": `export const l = (): unknown => import("./lazier.ts");`,
    "src/core/lazier.ts": `import "./lazy.ts";`,
    "src/core/type_a.ts": `import type { B } from "./type_b.ts";\nexport type A = B;`,
    "src/core/type_b.ts": `import type { A } from "./type_a.ts";\nexport type B = A | 1;`,
  });
  assertEquals(lines, [
    "src/core/c.ts:2: import cycle src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts",
    "src/core/lazy.ts:1: import cycle src/core/lazier.ts → src/core/lazy.ts → src/core/lazier.ts",
    "src/core/type_b.ts:1: import cycle src/core/type_a.ts → src/core/type_b.ts → src/core/type_a.ts",
  ]);
});

Deno.test("layers: folders of one layer do not import each other", async () => {
  const lines = await report({
    "src/grpc/read/a.ts": `import "../write/b.ts";`,
    "src/grpc/write/b.ts": `export const b = 1;`,
    "src/grpc/write/c.ts": `import "../read/d.ts";`,
    "src/grpc/read/d.ts": `export const d = 1;`,
    "src/grpc/open.ts": `import "./read/a.ts";`,
  });
  assertEquals(lines, [
    "src/grpc/read/a.ts:1: grpc/read and grpc/write import each other",
    "src/grpc/write/c.ts:1: grpc/write and grpc/read import each other",
  ]);
});

Deno.test("levelsOf: a layer stands above all that it imports", async () => {
  await withTree({
    "src/core/a.ts": "export const a = 1;",
    "src/kernel/k.ts": `export * from "../core/a.ts";`,
    "src/client/c.ts": `export * from "../kernel/k.ts";\nexport * from "../core/a.ts";`,
    "mod.ts": `export * from "./src/client/c.ts";`,
  }, async (root) => {
    const levels = levelsOf(await readGraph(root));
    assertEquals(levels, [["core"], ["kernel"], ["client"], ["mod.ts"]]);
  });
});

Deno.test("layers: Deno.* and console are found in code and not in comments", () => {
  const source = [
    "// Deno.open is not used",
    " * Deno.test in an example",
    "const file = Deno.open(path); // opened",
    "const x = 1; // like Deno.args",
    "const y = other.Deno.args;",
    "console.log(y);",
  ].join("\n");
  assertEquals(checkGlobals("src/engine/file.ts", source).map((v) => v.line), [3, 6]);
  assertEquals(checkGlobals("src/cli/main.ts", source), []);
});

Deno.test("layers: files have the layer of their folder or one of their own", () => {
  assertEquals(layerOf("src/client/stream.ts"), "client");
  assertEquals(layerOf("src/connect/mod.ts"), "connect");
  assertEquals(layerOf("mod.ts"), "mod.ts");
  assertEquals(layerOf("tools/demo.ts"), undefined);
});

Deno.test("layers: the table in docs/architecture.md is the rules", async () => {
  const page = new URL("docs/architecture.md", ROOT);
  const lines = (await Deno.readTextFile(page)).split("\n").map((line) =>
    line.replace(/ {2,}/g, " ")
  );
  assertEquals(layerTable().filter((row) => !lines.includes(row)), []);
});

Deno.test("layers: the picture in docs/architecture.md is the levels of the import graph", async () => {
  const page = await Deno.readTextFile(new URL("docs/architecture.md", ROOT));
  const picture = [...page.matchAll(/^(\d) {3}(.+)$/gm)].map(([, level, line]) => [
    Number(level),
    [...line!.matchAll(/src\/(\w+)|mod\.ts/g)].map(([all, layer]) => layer ?? all).sort(),
  ]);
  const levels = levelsOf(await readGraph(ROOT)).map((layers, i) => [i, layers.toSorted()]);
  assertEquals(picture, levels.toReversed());
});
