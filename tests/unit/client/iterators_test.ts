import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { flatten, gather, lazily, mapEach, SingleUse } from "../../../src/client/iterators.ts";

/** Yields numbers and notes what happens to it. */
async function* numbers(log: string[]): AsyncIterableIterator<number> {
  log.push("open");
  try {
    for (let i = 0;; i++) {
      await Promise.resolve();
      yield i;
    }
  } finally {
    log.push("close");
  }
}

Deno.test("SingleUse: nothing is opened before the first read, and nothing twice", async () => {
  const log: string[] = [];
  const answer = new SingleUse("read numbers", () => numbers(log));
  assertEquals(log, []);
  for await (const n of answer.take()) if (n === 2) break;
  assertEquals(log, ["open", "close"]);
  assertThrows(() => answer.take(), TypeError, "Cannot read numbers twice: the query was already");
});

Deno.test("flatten, mapEach: leaving a loop closes what is underneath", async () => {
  const log: string[] = [];
  for await (const n of mapEach(numbers(log), (i) => i * 2)) if (n === 4) break;
  for await (const n of flatten(mapEach(numbers(log), (i) => [i, i]))) if (n === 1) break;
  assertEquals(log, ["open", "close", "open", "close"]);
});

Deno.test("gather: gathering keeps the order", async () => {
  const source = mapEach(
    (async function* () {
      await Promise.resolve();
      yield* [3, 1, 2];
    })(),
    (n) => n,
  );
  assertEquals(await gather(source), [3, 1, 2]);
});

/** Yields batches, the empty one too, and then fails if asked to. */
async function* batches(failure?: Error): AsyncIterableIterator<number[]> {
  await Promise.resolve();
  yield* [[1, 2], [], [3]];
  if (failure !== undefined) throw failure;
}

Deno.test("flatten: several reads at once get the items in order, then the end", async () => {
  const items = flatten(batches());
  const read = await Promise.all(Array.from({ length: 5 }, () => items.next()));
  assertEquals(read.map(({ value }) => value), [1, 2, 3, undefined, undefined]);
  assertEquals(read.map(({ done }) => done === true), [false, false, false, true, true]);
});

Deno.test("flatten: a failure comes after the items before it, and then the end", async () => {
  const items = flatten(batches(new Error("lost")));
  assertEquals([(await items.next()).value, (await items.next()).value], [1, 2]);
  assertEquals((await items.next()).value, 3);
  await assertRejects(() => items.next(), Error, "lost");
  assertEquals(await items.next(), { value: undefined, done: true });
});

Deno.test("flatten, mapEach: nothing comes after a return", async () => {
  const log: string[] = [];
  const items = flatten(mapEach(numbers(log), (i) => [i, i]));
  assertEquals((await items.next()).value, 0);
  assertEquals(await items.return!(), { value: undefined, done: true });
  assertEquals(await items.next(), { value: undefined, done: true });
  assertEquals(log, ["open", "close"]);
});

/** An iterator whose `next()` waits until it is returned, as a subscription's does. */
function idle(): AsyncIterableIterator<number[]> {
  const end = Promise.withResolvers<IteratorResult<number[]>>();
  const done = { done: true as const, value: undefined };
  return {
    next: () => end.promise,
    return() {
      end.resolve(done);
      return Promise.resolve(done);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

Deno.test("flatten, mapEach: return() ends a next() that waits for what may never come", async () => {
  for (
    const iterator of [
      mapEach(idle(), (item) => item),
      flatten(lazily(idle)),
      flatten(mapEach(lazily(idle), (item) => item)),
    ]
  ) {
    const next = iterator.next();
    await iterator.return!();
    assertEquals((await next).done, true);
    assertEquals((await iterator.next()).done, true);
  }
});

Deno.test("lazily: what is returned before its first read is never opened", async () => {
  const log: string[] = [];
  const items = lazily(() => numbers(log));
  await items.return!();
  assertEquals([(await items.next()).done, log], [true, []]);
});

Deno.test("mapEach: a conversion that fails closes what is underneath", async () => {
  const log: string[] = [];
  const items = mapEach(numbers(log), () => {
    throw new TypeError("not this one");
  });
  await assertRejects(() => items.next(), TypeError, "not this one");
  assertEquals([(await items.next()).done, log], [true, ["open", "close"]]);
});
