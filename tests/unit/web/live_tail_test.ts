/** News of streams. */

import { assertEquals } from "@std/assert";
import { LiveTail, type LiveTailOptions, type News } from "../../../src/web/plotter/live_tail.ts";

interface Log {
  readonly lines: string[];
  readonly until: (line: string, count?: number) => Promise<void>;
}

function logOf(): Log & { add: (line: string) => void } {
  const lines: string[] = [];
  let check = () => {};
  return {
    lines,
    add: (line) => {
      lines.push(line);
      check();
    },
    until: (line, count = 1) =>
      new Promise((resolve) => {
        check = () => {
          if (lines.filter((one) => one === line).length >= count) resolve();
        };
        check();
      }),
  };
}

function tailOf(
  log: ReturnType<typeof logOf>,
  subscribe: (uuids: readonly string[], signal: AbortSignal) => AsyncIterable<News>,
  version: (uuid: string) => string = () => "10.0",
  more: Partial<LiveTailOptions> = {},
): LiveTail {
  return new LiveTail({
    subscribe,
    version: (uuid) => Promise.resolve(version(uuid)),
    isUnsupported: (error) => (error as Error).message === "unsupported",
    onNews: (uuid, range) =>
      log.add(range === undefined ? `${uuid} all` : `${uuid} ${range.start}`),
    onError: (error) => log.add((error as Error).message),
    pollMs: 1,
    checkMs: 1,
    pauseMs: 1,
    ...more,
  });
}

const waiting = (signal: AbortSignal) =>
  new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** Subscriptions of a server that has none. */
// deno-lint-ignore require-yield -- it fails at once
async function* unsupported(): AsyncGenerator<never> {
  throw new Error("unsupported");
}

Deno.test("LiveTail: one subscription for all streams, and a new one when they change", async () => {
  const log = logOf();
  const tail = tailOf(log, async function* (uuids, signal) {
    log.add(`subscribed ${uuids}`);
    yield { uuid: uuids[0]!, start: 5n, end: 6n };
    await waiting(signal);
  });
  tail.follow(["b", "a", "b"]);
  await log.until("a 5");
  tail.follow(["a", "b"]);
  tail.follow(["c"]);
  await log.until("c 5");
  tail.stop();
  assertEquals(log.lines, ["subscribed a,b", "a 5", "subscribed c", "c 5"]);
});

Deno.test("LiveTail: after an error it begins again, and everything may have changed", async () => {
  const log = logOf();
  let calls = 0;
  const tail = tailOf(log, async function* (_, signal) {
    if (calls++ === 0) throw new Error("lost");
    yield { uuid: "a", start: 7n, end: 8n };
    await waiting(signal);
  });
  tail.follow(["a"]);
  await log.until("a 7");
  tail.stop();
  assertEquals(log.lines, ["lost", "a all", "a 7"]);
});

Deno.test("LiveTail: after sleep it catches up", async () => {
  const log = logOf();
  const tail = tailOf(log, async function* (_, signal) {
    yield { uuid: "a", start: 1n, end: 2n };
    await waiting(signal);
  });
  tail.follow(["a"]);
  await log.until("a 1");
  tail.restart();
  await log.until("a 1", 2);
  tail.stop();
  assertEquals(log.lines, ["a 1", "a all", "a 1"]);
});

Deno.test("LiveTail: a server without subscriptions is asked for versions", async () => {
  const log = logOf();
  let asked = 0;
  const tail = tailOf(
    log,
    unsupported,
    () => `10.${Math.floor(asked++ / 3)}`,
  );
  tail.follow(["a"]);
  await log.until("a all", 3);
  assertEquals(tail.isPolling, true);
  tail.stop();
  assertEquals(new Set(log.lines), new Set(["a all"]));
});

Deno.test("LiveTail: a server without subscriptions tells what changed between versions", async () => {
  const log = logOf();
  let looks = 0;
  const tail = tailOf(
    log,
    unsupported,
    () => looks++ < 5 ? "10.0" : "12.0",
    {
      changed: (uuid, from, to) => {
        log.add(`${from} to ${to}`);
        return Promise.resolve({ uuid, start: BigInt(parseInt(to)), end: 99n });
      },
    },
  );
  tail.follow(["a"]);
  await log.until("a 12");
  tail.stop();
  assertEquals(log.lines, ["a all", "10.0 to 12.0", "a 12"]);
});

// A point that was written after the figure had been read and before the first look at the version was
// not shown until there was another one.
Deno.test("LiveTail: at a server without subscriptions, the first look at a stream tells that it may have changed", async () => {
  const log = logOf();
  const tail = tailOf(
    log,
    unsupported,
    (uuid) => {
      log.add(`look at ${uuid}`);
      return "11.0";
    },
  );
  const news = () => log.lines.filter((line) => !line.startsWith("look"));
  tail.follow(["a"]);
  await log.until("look at a", 3);
  assertEquals(news(), ["a all"]);
  tail.follow(["a", "b"]);
  await log.until("look at b", 3);
  assertEquals(news(), ["a all", "b all"]);
  tail.follow(["b"]);
  tail.follow(["a", "b"]);
  await log.until("look at b", 6);
  tail.stop();
  assertEquals(news(), ["a all", "b all", "a all"]);
});

// Versions that were seen before sleep were forgotten, and everything was read again after it.
Deno.test("LiveTail: at a server without subscriptions, what was written during sleep is told by its range", async () => {
  const log = logOf();
  let now = "11.0";
  const tail = tailOf(
    log,
    unsupported,
    (uuid) => {
      log.add(`look at ${uuid}`);
      return now;
    },
    {
      changed: (uuid, _from, to) =>
        Promise.resolve({ uuid, start: BigInt(parseInt(to)), end: 99n }),
    },
  );
  tail.follow(["a"]);
  await log.until("look at a", 3);
  tail.stop();
  now = "12.0";
  tail.restart();
  await log.until("a 12");
  tail.stop();
  assertEquals(log.lines.filter((line) => !line.startsWith("look")), ["a all", "a 12"]);
});

Deno.test("LiveTail: at a server without subscriptions, what changed while it failed is told", async () => {
  const log = logOf();
  let now = 11;
  const tail = tailOf(
    log,
    unsupported,
    (uuid) => {
      log.add(`look at ${uuid}`);
      return `${now}.0`;
    },
    { changed: () => Promise.reject(new Error("no changes here")) },
  );
  tail.follow(["a"]);
  await log.until("look at a", 3);
  now++;
  await log.until("a all", 2);
  tail.stop();
  const news = log.lines.filter((line) => !line.startsWith("look"));
  assertEquals(news, ["a all", "no changes here", "a all"]);
});

Deno.test("LiveTail: a subscription that is dead without a word is noticed, and begun again", async () => {
  const log = logOf();
  let version = 10;
  const tail = tailOf(
    log,
    // deno-lint-ignore require-yield -- it says nothing
    async function* (_, signal) {
      log.add("subscribed");
      await waiting(signal);
    },
    () => `${version++}.0`,
  );
  tail.follow(["a"]);
  await log.until("subscribed", 2);
  tail.stop();
  // Two looks found what it did not say; the third line is for what was missed in between.
  assertEquals(log.lines, ["subscribed", "a all", "a all", "a all", "subscribed"]);
});

Deno.test("LiveTail: a change that a subscription told of is not told twice", async () => {
  const log = logOf();
  let [version, looks] = [10, 0];
  const tail = tailOf(
    log,
    async function* (_, signal) {
      log.add("subscribed");
      yield { uuid: "a", start: 5n, end: 6n };
      await waiting(signal);
    },
    () => {
      log.add(`look ${++looks}`);
      if (looks === 2) version++;
      return `${version}.0`;
    },
  );
  tail.follow(["a"]);
  await log.until("look 4");
  tail.stop();
  assertEquals(log.lines.filter((line) => line.startsWith("a ")), ["a 5"]);
});

Deno.test("LiveTail: nothing is asked for without streams", () => {
  const log = logOf();
  const tail = tailOf(log, () => {
    throw new Error("asked");
  });
  tail.follow([]);
  assertEquals(log.lines, []);
});
