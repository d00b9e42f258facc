/** Tiles of windows and the requests for them. */

import { assert, assertEquals } from "@std/assert";
import type { TileAnswer, TileRequest } from "../../../src/web/plotter/tile.ts";
import { TileCache } from "../../../src/web/plotter/tile_cache.ts";

const UUID = "a5fba242-74c8-4e59-ad89-c1565ee3229c";

/** A reader that answers when it is told to: a window of one point wherever there may be one. */
class Reader {
  readonly asked: (TileRequest & { answer: () => Promise<void>; signal: AbortSignal })[] = [];
  value = 1;
  error: unknown;

  read = (request: TileRequest, signal: AbortSignal): Promise<TileAnswer> =>
    new Promise((resolve, reject) => {
      const answer = async () => {
        if (this.error !== undefined) reject(this.error);
        else resolve(this.#windows(request));
        await new Promise((go) => setTimeout(go));
      };
      this.asked.push({ ...request, answer, signal });
    });

  #windows({ start, end, pointwidth }: TileRequest): TileAnswer {
    const times: bigint[] = [];
    for (let time = start; time < end; time += 1n << BigInt(pointwidth)) times.push(time);
    const column = () => new Float64Array(times.length).fill(this.value);
    const count = new BigUint64Array(times.length).fill(1n);
    return { times: new BigInt64Array(times), min: column(), mean: column(), max: column(), count };
  }
}

function cacheOf(reader: Reader, more: { maxBytes?: number; isTransient?: boolean } = {}) {
  const seen = { changes: 0, errors: [] as unknown[] };
  const cache = new TileCache({
    read: reader.read,
    onChange: () => seen.changes++,
    onError: (error) => {
      seen.errors.push(error);
      return more.isTransient ?? true;
    },
    pauseMs: 600_000,
    ...(more.maxBytes === undefined ? {} : { maxBytes: more.maxBytes }),
  });
  const view = (start: bigint, end: bigint, version = 0n, length = 1000) => {
    cache.begin();
    const columns = cache.columns(UUID, version, start, end, length);
    cache.end();
    return columns;
  };
  return { cache, seen, view };
}

Deno.test("TileCache: a view is read in one request of whole tiles, and then drawn from memory", async () => {
  const reader = new Reader();
  const { cache, view, seen } = cacheOf(reader);
  assertEquals(view(0n, 1_000_000n).isComplete, false);
  assertEquals(reader.asked.length, 1);
  const { pointwidth, start, end } = reader.asked[0]!;
  assertEquals([pointwidth, start, end], [9, 0n, 4n << 18n]);
  assertEquals(cache.pending, 4);
  await reader.asked[0]!.answer();
  const columns = view(0n, 1_000_000n);
  assert(columns.isComplete && columns.isExact);
  assertEquals([...columns.count].filter((n) => n === 0).length, 0);
  assertEquals(columns.count.reduce((sum, n) => sum + n), Math.ceil(1_000_000 / 512));
  assertEquals(cache.pending, 0);
  assert(seen.changes >= 1);
  cache.close();
});

Deno.test("TileCache: neighbours are read when there is nothing else to do", async () => {
  const reader = new Reader();
  const { cache, view } = cacheOf(reader);
  view(1_000_000n, 2_000_000n);
  await reader.asked[0]!.answer();
  view(1_000_000n, 2_000_000n);
  await reader.asked[1]!.answer();
  assert(reader.asked[1]!.start >= 2_000_000n - (1n << 18n));
  assertEquals(cache.pending, 0);
  cache.close();
});

Deno.test("TileCache: requests of a view that is gone are given up", async () => {
  const reader = new Reader();
  const { cache, view } = cacheOf(reader);
  view(0n, 1_000_000n);
  view(10n ** 15n, 10n ** 15n + 1_000_000n);
  assertEquals(reader.asked.map(({ signal }) => signal.aborted), [true, false]);
  await reader.asked[0]!.answer();
  assertEquals(view(10n ** 15n, 10n ** 15n + 1_000_000n).filled, 0);
  cache.close();
});

Deno.test("TileCache: coarser windows are drawn while finer ones are read", async () => {
  const reader = new Reader();
  const { cache, view } = cacheOf(reader);
  view(0n, 1_000_000n);
  await reader.asked[0]!.answer();
  const zoomed = view(100_000n, 200_000n);
  assert(!zoomed.isComplete && !zoomed.isExact);
  assertEquals(zoomed.filled, 1000);
  cache.close();
});

Deno.test("TileCache: finer windows are drawn while coarser ones are read, so that nothing blinks", async () => {
  const reader = new Reader();
  const { cache, view } = cacheOf(reader);
  view(0n, 1_000_000n);
  await reader.asked[0]!.answer();
  const wide = view(-1_000_000n, 3_000_000n);
  assert(!wide.isComplete && wide.isExact);
  const filled = [...wide.count].flatMap((n, x) => n > 0 ? [x] : []);
  // What was read reaches from 0 to 2^20, which is a quarter of this view.
  assertEquals([filled[0], filled.at(-1), filled.length], [250, 512, 263]);
  assertEquals(wide.count.reduce((sum, n) => sum + n), 2 ** 11);
  cache.close();
});

Deno.test("TileCache: a neighbour that is being read is kept while the view moves", async () => {
  const reader = new Reader();
  const { cache, view } = cacheOf(reader);
  view(1_000_000n, 2_000_000n);
  await reader.asked[0]!.answer();
  view(1_000_000n, 2_000_000n);
  for (let by = 0n; by < 30_000n; by += 1_000n) view(1_000_000n + by, 2_000_000n + by);
  assertEquals(reader.asked.map(({ signal }) => signal.aborted), [false, false]);
  view(9_000_000n, 9_100_000n);
  assertEquals(reader.asked[1]!.signal.aborted, true);
  cache.close();
});

Deno.test("TileCache: where a pixel is less than a nanosecond, a sample is a point at its time", async () => {
  const reader = new Reader();
  const { cache, view } = cacheOf(reader);
  view(100n, 110n, 0n, 1000);
  await reader.asked[0]!.answer();
  const columns = view(100n, 110n, 0n, 1000);
  const filled = [...columns.count].flatMap((n, x) => n > 0 ? [x] : []);
  assertEquals(filled, Array.from({ length: 10 }, (_, i) => 100 * i));
  assert(columns.isExact);
  cache.close();
});

Deno.test("TileCache: outdated tiles are drawn until they were read again", async () => {
  const reader = new Reader();
  const { cache, view } = cacheOf(reader);
  view(0n, 1_000_000n);
  await reader.asked[0]!.answer();
  cache.invalidate(UUID, 500_000n, 500_001n);
  reader.value = 7;
  const before = reader.asked.length;
  assertEquals(view(0n, 1_000_000n).mean[500], 1);
  const again = reader.asked.slice(before).find(({ start }) => start === 1n << 18n)!;
  assertEquals(again.end, 2n << 18n);
  await again.answer();
  const columns = view(0n, 1_000_000n);
  assertEquals([columns.mean[100], columns.mean[500]], [1, 7]);
  cache.close();
});

Deno.test("TileCache: pinned versions are never outdated", async () => {
  const reader = new Reader();
  const { cache, view } = cacheOf(reader);
  view(0n, 1_000_000n, 12n);
  await reader.asked[0]!.answer();
  cache.invalidate();
  view(0n, 1_000_000n, 12n);
  assert(reader.asked.slice(1).every(({ start }) => start >= 4n << 18n));
  cache.close();
});

Deno.test("TileCache: points written while a tile is read make it outdated at once", async () => {
  const reader = new Reader();
  const { cache, view } = cacheOf(reader);
  view(0n, 200_000n);
  cache.invalidate(UUID);
  await reader.asked[0]!.answer();
  const before = reader.asked.length;
  view(0n, 200_000n);
  assert(reader.asked.length > before);
  cache.close();
});

Deno.test("TileCache: its size is bounded, and what was not looked at for longest goes", async () => {
  const reader = new Reader();
  const { cache, view } = cacheOf(reader, { maxBytes: 200_000 });
  for (let i = 0n; i < 20n; i++) {
    view(i * 1_000_000n, (i + 1n) * 1_000_000n);
    for (const { answer } of reader.asked.splice(0)) await answer();
    assert(cache.bytes <= 200_000, `${cache.bytes}`);
  }
  assertEquals(view(19_000_000n, 20_000_000n).isComplete, true);
  assertEquals(view(0n, 1_000_000n).isComplete, false);
  cache.close();
});

Deno.test("TileCache: after an error it waits, and a stream that cannot be read is left alone", async () => {
  const transient = new Reader();
  transient.error = new Error("lost");
  const one = cacheOf(transient);
  one.view(0n, 1_000_000n);
  await transient.asked[0]!.answer();
  one.view(0n, 1_000_000n);
  assertEquals([transient.asked.length, one.seen.errors.length], [1, 1]);
  one.cache.retry();
  one.view(0n, 1_000_000n);
  assertEquals(transient.asked.length, 2);
  one.cache.close();

  const gone = new Reader();
  gone.error = new Error("no such stream");
  const other = cacheOf(gone, { isTransient: false });
  other.view(0n, 1_000_000n);
  await gone.asked[0]!.answer();
  other.view(0n, 2_000_000n);
  assertEquals([gone.asked.length, other.cache.pending], [1, 0]);
  other.cache.close();
});
