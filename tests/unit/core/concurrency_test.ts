import { assert, assertEquals, assertRejects } from "@std/assert";
import { mapConcurrently } from "../../../src/core/concurrency.ts";

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

Deno.test("results keep the order of the items, no more than the limit run at a time", async () => {
  let now = 0;
  let most = 0;
  const results = await mapConcurrently([5, 1, 4, 2, 3], 2, async (ms, index) => {
    most = Math.max(most, ++now);
    await pause(ms);
    now--;
    return `${index}:${ms}`;
  });
  assertEquals(results, ["0:5", "1:1", "2:4", "3:2", "4:3"]);
  assertEquals([most, now], [2, 0]);
  assertEquals(await mapConcurrently([], 3, () => Promise.resolve(1)), []);
});

Deno.test("after a failure nothing is begun, and what runs ends first", async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  await assertRejects(
    () =>
      mapConcurrently([0, 1, 2, 3, 4, 5], 2, async (item) => {
        begun.push(item);
        await pause(item === 0 ? 8 : 2);
        if (item === 1) throw new Error("no");
        ended.push(item);
      }),
    Error,
    "no",
  );
  assertEquals(begun, [0, 1]);
  assertEquals(ended, [0]);
  await pause(10);
  assert(begun.length === 2);
});
