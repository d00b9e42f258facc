import { BTrDBError, type RawBatch } from "@btrdb/btrdb";
import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { delay } from "../../../src/core/call.ts";
import { later } from "../../support/clock.ts";
import { type Bench, type Case, columns, ramp } from "../support.ts";

/** More points than any backend sends before it is asked for more. */
const MANY = 400_000;

async function longStream(t: Bench) {
  const stream = await t.stream();
  await stream.insert(ramp(0n, 1n, MANY));
  await stream.flush();
  return stream;
}

/** Counts the listeners that are put on a signal from now on. */
function watchListeners(signal: AbortSignal): { now(): number; ever(): number } {
  const present = new Set<unknown>();
  let ever = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (type: string, listener: never, options?: AddEventListenerOptions) => {
    present.add(listener);
    ever++;
    addEventListener.call(signal, type, listener, options);
  };
  signal.removeEventListener = (type: string, listener: never) => {
    present.delete(listener);
    removeEventListener.call(signal, type, listener);
  };
  return { now: () => present.size, ever: () => ever };
}

export const CANCEL_CASES: Case[] = [
  {
    name: "cancel: leaving a loop, and the database goes on",
    async run(t) {
      const stream = await longStream(t);
      for (let i = 0; i < 20; i++) {
        for await (const batch of stream.rawValues(0n, BigInt(MANY))) {
          assert(batch.length > 0);
          break;
        }
      }
      assertEquals(await stream.count(), BigInt(MANY));
    },
  },
  {
    name: "cancel: an abort between two batches rejects with the reason itself",
    async run(t) {
      const stream = await longStream(t);
      const abort = new AbortController();
      const reason = { why: "enough" };
      const seen: RawBatch[] = [];
      const error = await (async () => {
        const query = stream.rawValues(0n, BigInt(MANY), { signal: abort.signal });
        for await (const batch of query) {
          seen.push(batch);
          abort.abort(reason);
        }
      })().then(() => undefined, (thrown) => thrown);
      assertStrictEquals(error, reason);
      assertEquals(seen.length, 1);
      assertEquals(await stream.count(), BigInt(MANY));
    },
  },
  {
    name: "cancel: a signal that is aborted already stops every call",
    async run(t) {
      const stream = await t.stream([[1n, 1]]);
      const reason = new Error("too late");
      const signal = AbortSignal.abort(reason);
      const calls: (() => Promise<unknown>)[] = [
        () => stream.rawValues(0n, 9n, { signal }).collect(),
        () => stream.alignedWindows(0n, 9n, 1, { signal }).collect(),
        () => stream.windows(0n, 9n, 2n, { signal }).collect(),
        () => stream.windows(0n, 9n, 2n, { signal, compute: "client" }).collect(),
        () => stream.nearest(0n, { signal }),
        () => stream.count({ signal }),
        () => stream.insert([[2n, 2]], { signal }),
        () => stream.patch([[1n, 2]], { signal }),
        () => stream.deleteRange(0n, 9n, { signal }),
        () => stream.flush({ signal }),
        () => stream.version({ signal }),
        () => stream.exists({ signal }),
        () => stream.setAnnotations({ a: "b" }, { signal }),
        () => stream.obliterate({ signal }),
        () => Array.fromAsync(stream.changes(0n, 0n, 0, { signal })),
        () => Array.fromAsync(t.db.lookupStreams(t.collection, { signal })),
        () => Array.fromAsync(t.db.listCollections("", { signal })),
        () => t.db.getMetadataUsage("", { signal }),
        () => t.db.info({ signal }),
        () => t.db.create(crypto.randomUUID(), t.collection, { signal }),
      ];
      for (const call of calls) {
        const error = await call().then(() => undefined, (thrown) => thrown);
        assertStrictEquals(error, reason, call.toString());
      }
      const { value } = (await stream.nearest(0n))!;
      assertEquals([value, await stream.count()], [1, 1n]);
    },
  },
  {
    name: "cancel: an abort while an insert waits for its points; the last progress is true",
    async run(t) {
      const stream = await t.stream();
      const abort = new AbortController();
      const reason = new Error("stop");
      const both = Promise.withResolvers<void>();
      const closed = Promise.withResolvers<void>();
      let stored = 0;
      async function* batches() {
        try {
          yield columns([[1n, 1]]);
          yield columns([[2n, 2]]);
          await both.promise;
          abort.abort(reason);
          await delay(1);
          yield columns([[3n, 3]]);
        } finally {
          closed.resolve();
        }
      }
      const error = await stream.insert(batches(), {
        signal: abort.signal,
        onProgress: (progress) => {
          stored = progress.stored;
          if (stored === 2) both.resolve();
        },
      }).then(() => undefined, (thrown) => thrown);
      assertStrictEquals(error, reason);
      assertEquals([stored, await stream.count()], [2, 2n]);
      await closed.promise;
    },
  },
  {
    name: "cancel: no call leaves a listener on the signal",
    async run(t) {
      const stream = await t.stream([[1n, 1]]);
      const { signal } = new AbortController();
      const listeners = watchListeners(signal);
      const options = { signal, timeoutMs: 60_000 };
      await stream.insert([[2n, 2]], options);
      await stream.patch([[2n, 3]], options);
      await stream.rawValues(0n, 9n, options).collect();
      for await (const _ of stream.rawValues(0n, 9n, options)) break;
      await stream.windows(0n, 9n, 3n, options).collect();
      await stream.windows(0n, 9n, 3n, { ...options, compute: "client" }).collect();
      await stream.nearest(0n, options);
      await stream.count(options);
      await stream.flush(options);
      await stream.setAnnotations({ a: "b" }, options);
      await Array.fromAsync(stream.changes(0n, 0n, 0, options));
      await Array.fromAsync(t.db.lookupStreams(t.collection, options));
      await Array.fromAsync(t.db.listCollections(t.collection, options));
      await t.db.info(options);
      const missing = t.db.streamFromUUID(crypto.randomUUID());
      await assertRejects(() => missing.version(options), BTrDBError);
      assertEquals(listeners.now(), 0);
      assert(t.protocol === "embedded" || listeners.ever() > 10, `${listeners.ever()} were seen`);
    },
  },
  {
    name: "timeout: code 0, DEADLINE_EXCEEDED, also while a reader takes its time",
    async run(t) {
      const stream = await longStream(t);
      const error = await assertRejects(async () => {
        for await (const _ of stream.rawValues(0n, BigInt(MANY), { timeoutMs: 100 })) {
          await delay(120);
        }
      }, BTrDBError);
      assertEquals([error.code, error.status], [0, "DEADLINE_EXCEEDED"]);
      // Points at hand could be stored before the clock's next tick: a source that waits is late.
      const waited = Promise.withResolvers<void>();
      const source = (async function* () {
        await waited.promise;
        yield ramp(0n, 1n, 1_000);
      })();
      const late = await assertRejects(
        () => stream.insert(source, { timeoutMs: 20 }),
        BTrDBError,
      );
      waited.resolve();
      await delay(1);
      assertEquals([late.code, late.status], [0, "DEADLINE_EXCEEDED"]);
      assertEquals(await stream.count({ timeoutMs: 60_000 }), BigInt(MANY));
    },
  },
  {
    name: "timeout: the time runs from the first read, not from the making of a query",
    async run(t) {
      const stream = await t.stream([[1n, 1]]);
      const query = stream.rawValues(0n, 9n, { timeoutMs: 600_000 });
      // An hour later, by the clock that deadlines are taken from.
      using _clock = later(3_600_000);
      assertEquals((await query.collect()).length, 1);
    },
  },
];
