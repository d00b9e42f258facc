import { assert, assertEquals } from "@std/assert";
import { readGraph } from "../../../tools/support/module_graph.ts";

const ROOT = new URL("../../../", import.meta.url);

// The time it takes to start is the machine's affair; how much there is to load is ours.
Deno.test("btrdb --help: loads a few small modules of the program and no package", async () => {
  const graph = await readGraph(ROOT);
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    for (const { to, external, dynamic, typeOnly } of graph.get(file) ?? []) {
      if (dynamic || typeOnly) continue;
      if (external) assert(to!.startsWith("node:"), `${file} loads ${to}`);
      else load(to!);
    }
  };
  for (const file of ["src/cli/main.ts", "src/cli/help.ts"]) load(file);
  const elsewhere = [...loaded].filter((file) => !/^src\/(cli|core|plot)\//.test(file));
  assertEquals(elsewhere, []);
  const sizes = [...loaded].map((file) => Deno.statSync(new URL(file, ROOT)).size);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  assert(bytes < 100_000, `${loaded.size} modules with ${bytes} bytes`);
});
