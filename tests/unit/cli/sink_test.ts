import { assertEquals } from "@std/assert";
import { destination, fileSink } from "../../../src/cli/export/sink.ts";

async function directory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "btrdb-sink-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("fileSink: what is given up is kept or goes", async () => {
  await using dir = await directory();
  const to = destination(`${dir.path}/a.csv`);
  for (const keep of [true, false]) {
    const sink = fileSink(to, false);
    sink.write!(Uint8Array.of(1, 2, 3));
    await sink.abandon(keep);
    const names = [];
    for await (const { name } of Deno.readDir(dir.path)) names.push(name);
    assertEquals(names, keep ? ["a.csv.part"] : []);
  }
  const sink = fileSink(to, false);
  sink.write!(Uint8Array.of(1, 2, 3));
  await sink.finish();
  assertEquals([...await Deno.readFile(to.path)], [1, 2, 3]);
});
