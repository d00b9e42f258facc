import { assertEquals, assertRejects } from "@std/assert";
import { destination, fileSink } from "../../../src/cli/export/sink.ts";
import { mapConcurrently } from "../../../src/core/concurrency.ts";

async function directory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "btrdb-sink-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("sink: what is given up is kept or goes", async () => {
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

Deno.test("pool: a failure waits for what is under way, and nothing more is begun", async () => {
  const begun: number[] = [];
  let ended = 0;
  const work = async (i: number): Promise<number> => {
    begun.push(i);
    await new Promise((resolve) => setTimeout(resolve, i === 1 ? 1 : 20));
    ended++;
    if (i === 1) throw new Error("one");
    return i;
  };
  await assertRejects(() => mapConcurrently([0, 1, 2, 3, 4, 5], 3, work), Error, "one");
  assertEquals(begun, [0, 1, 2]);
  assertEquals(ended, 3);
  assertEquals(await mapConcurrently([2, 3], 8, work), [2, 3]);
});
