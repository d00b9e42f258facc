import { assertEquals, assertRejects } from "@std/assert";
import { delay } from "../../../src/core/call.ts";
import { mapConcurrently } from "../../../src/core/concurrency.ts";

Deno.test("mapConcurrently: results keep the order of the items, no more than the limit run at a time", async () => {
  let now = 0;
  let most = 0;
  const results = await mapConcurrently([5, 1, 4, 2, 3], 2, async (ms, index) => {
    most = Math.max(most, ++now);
    await delay(ms);
    now--;
    return `${index}:${ms}`;
  });
  assertEquals(results, ["0:5", "1:1", "2:4", "3:2", "4:3"]);
  assertEquals([most, now], [2, 0]);
  assertEquals(await mapConcurrently([], 3, () => Promise.resolve(1)), []);
});

// Of two streams that were missing, the error named now one, now the other: the one whose answer came first.
Deno.test("mapConcurrently: of several failures that of the first item is thrown, whichever comes first", async () => {
  for (const limit of [2, 3, 9]) {
    const gate = Promise.withResolvers<void>();
    const error = await assertRejects(
      () =>
        mapConcurrently(["a", "b", "c", "d"], limit, async (item) => {
          if (item === "c" || (item === "b" && limit === 2)) gate.resolve();
          else await gate.promise;
          if (item !== "d") throw new Error(`${item} is missing`);
        }),
      Error,
    );
    assertEquals(error.message, "a is missing");
  }
});

Deno.test("mapConcurrently: after a failure nothing is begun, and what runs ends first", async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const first = Promise.withResolvers<void>();
  await assertRejects(
    () =>
      mapConcurrently([0, 1, 2, 3, 4, 5], 2, async (item) => {
        begun.push(item);
        if (item === 1) {
          setTimeout(first.resolve, 10);
          throw new Error("no");
        }
        await first.promise;
        ended.push(item);
      }),
    Error,
    "no",
  );
  assertEquals(ended, [0]);
  await delay(10);
  assertEquals(begun, [0, 1]);
});
