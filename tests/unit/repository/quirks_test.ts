import { assert, assertEquals } from "@std/assert";
import { listModules } from "../../../tools/support/module_graph.ts";

const ROOT = new URL("../../../", import.meta.url);

Deno.test("quirks: every name of the table in docs/protocol.md is where src/grpc works around it", async () => {
  const protocol = await Deno.readTextFile(new URL("docs/protocol.md", ROOT));
  const [, table] = protocol.split("Wrong answers, by the names that the tests use:");
  const names = [...table!.split("\n\n")[1]!.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name!);
  assert(names.length >= 16, names.join(" "));
  let sources = "";
  for (const path of await listModules(ROOT)) {
    if (path.startsWith("src/grpc/")) sources += await Deno.readTextFile(new URL(path, ROOT));
  }
  assertEquals(names.filter((name) => !sources.includes(`\`${name}\``)), []);
});
