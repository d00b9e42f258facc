/** Data by URL as files: ranges, entity tags, pieces. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { delay } from "../../../src/core/call.ts";
import type { ServeOptions } from "../../../src/server/mod.ts";
import { stopClock } from "../../support/clock.ts";
import { columnsOf, CSV, PARQUET, ROWS, SECOND, T, withData } from "../../support/data_by_url.ts";

Deno.test("data by URL: ranges of Parquet", () =>
  withData(async ({ get }) => {
    const head = await get(PARQUET, { method: "HEAD" });
    const size = Number(head.headers.get("content-length"));
    const etag = head.headers.get("etag")!;
    assertEquals(head.headers.get("accept-ranges"), "bytes");
    const all = new Uint8Array(await (await get(PARQUET)).arrayBuffer());
    assertEquals(all.length, size);
    const part = async (range: string, headers: Record<string, string> = {}) => {
      const response = await get(PARQUET, { headers: { range, ...headers } });
      const bytes = new Uint8Array(await response.arrayBuffer());
      const said = response.headers.get("content-range");
      assertEquals(response.headers.get("etag"), etag);
      assertEquals(Number(response.headers.get("content-length")), bytes.length);
      const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(said ?? "");
      if (match !== null) {
        assertEquals(bytes, all.slice(Number(match[1]), Number(match[2]) + 1));
        assertEquals(Number(match[3]), size);
      } else if (response.status === 200) assertEquals(bytes, all);
      return `${response.status} ${said}`;
    };
    assertEquals(await part("bytes=0-3"), `206 bytes 0-3/${size}`);
    assertEquals(await part("bytes=10-"), `206 bytes 10-${size - 1}/${size}`);
    assertEquals(await part("bytes=-8"), `206 bytes ${size - 8}-${size - 1}/${size}`);
    assertEquals(await part(`bytes=-${size + 1}`), `206 bytes 0-${size - 1}/${size}`);
    assertEquals(await part("bytes=-99999999999999999999"), `206 bytes 0-${size - 1}/${size}`);
    assertEquals(await part("bytes=5-99999999999999999999"), `206 bytes 5-${size - 1}/${size}`);
    assertEquals(await part("Bytes = 1 - 2"), `206 bytes 1-2/${size}`);
    assertEquals(await part(`bytes=${size}-`), `416 bytes */${size}`);
    assertEquals(await part("bytes=99999999999999999999-"), `416 bytes */${size}`);
    assertEquals(await part("bytes=-0"), `416 bytes */${size}`);
    for (
      const range of [
        "bytes=5-4",
        "bytes=-",
        "bytes=a-b",
        "rows=1-2",
        "bytes=0-1,5-6",
        "",
        "bytes=1.5-2",
      ]
    ) {
      assertEquals([range, await part(range)], [range, "200 null"]);
    }
    assertEquals(await part("bytes=0-3", { "if-range": etag }), `206 bytes 0-3/${size}`);
    assertEquals(await part("bytes=0-3", { "if-range": '"other"' }), "200 null");
    assertEquals(await part("bytes=0-3", { "if-range": `W/${etag}` }), "200 null");
    // If-Range has one strong tag or a date, never a list or a star (RFC 9110, 13.1.5).
    for (const other of ["*", `"a", ${etag}`, "Sun, 29 Nov 2026 00:00:00 GMT", etag.slice(1, -1)]) {
      assertEquals([other, await part("bytes=0-3", { "if-range": other })], [other, "200 null"]);
    }
    assertEquals(await part("bytes=0-3", { "if-match": etag }), `206 bytes 0-3/${size}`);
  }));

Deno.test("data by URL: entity tags and caches", () =>
  withData(async ({ get, a }) => {
    for (const path of [CSV, PARQUET, "/api/v1/data.arrow?stream=pmu/s7/a"]) {
      const first = await get(path, { method: "HEAD" });
      const etag = first.headers.get("etag")!;
      assertEquals(first.headers.get("cache-control"), "public, no-cache");
      const again = async (tag: string) => {
        const response = await get(path, { headers: { "if-none-match": tag } });
        await response.body?.cancel();
        return response.status;
      };
      assertEquals(await again(etag), 304);
      assertEquals(await again(`"x", ${etag.replace("W/", "")}`), 304);
      assertEquals(await again("*"), 304);
      assertEquals(await again('"x"'), 200);
      const changed = await get(path, { headers: { "if-match": '"x"' } });
      assertEquals([changed.status, (await changed.json()).error.code], [412, 0]);
    }
    const pinned = await get(`${CSV}&version=${await a.version()}`, { method: "HEAD" });
    assertEquals(pinned.headers.get("cache-control"), "public, max-age=31536000, immutable");
    const relative = await get(`${CSV}&version=${await a.version()}&start=now-1h`, {
      method: "HEAD",
    });
    assertEquals(relative.headers.get("cache-control"), "public, no-cache");
    const before = await (await get(CSV)).text();
    const location = (await get(CSV, { method: "HEAD" })).headers.get("content-location")!;
    await a.insert([[T + 5000n * SECOND, 1]]);
    assertEquals(await (await get(location)).text(), before);
    const after = await get(CSV);
    assertEquals(after.headers.get("btrdb-versions"), `${await a.version()}.1`);
    assertEquals((await after.text()).split("\n").length, before.split("\n").length + 1);
  }));

// The server takes a request for the first bytes for a new reader 10 s after the last one. On a busy machine
// as much had passed before this reader asked for them.
Deno.test("data by URL: a reader of Parquet gets pieces of one file while points come in", async () => {
  using clock = stopClock();
  await withData(async ({ get, a }) => {
    const head = await get(PARQUET, { method: "HEAD" });
    const size = Number(head.headers.get("content-length"));
    await a.insert([[T + 5000n * SECOND, 1]]);
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 5000) {
      const range = `bytes=${at}-${Math.min(size, at + 5000) - 1}`;
      const piece = await get(PARQUET, { headers: { range } });
      assertEquals([piece.status, piece.headers.get("etag")], [206, head.headers.get("etag")]);
      bytes.set(new Uint8Array(await piece.arrayBuffer()), at);
      clock.advance(at === 0 ? 9_000 : 1_500);
    }
    assertEquals((await columnsOf(bytes))["pmu/s7/a"]!.times.length, ROWS);
    const other = await get(`${PARQUET}&label=name`);
    const columns = await columnsOf(new Uint8Array(await other.arrayBuffer()));
    assertEquals(columns["a"]!.times.length, ROWS + 1);
    clock.advance(10_000);
    const rest = await get(PARQUET, { headers: { range: "bytes=8-15" } });
    assertEquals([rest.status, rest.headers.get("etag")], [206, head.headers.get("etag")]);
    await rest.body!.cancel();
    clock.advance(2_000);
    const first = await get(PARQUET, { headers: { range: "bytes=0-7" } });
    assertEquals([first.status, first.headers.get("etag") === head.headers.get("etag")], [
      206,
      false,
    ]);
    await first.body!.cancel();
  });
});

const READER = { headers: { authorization: "bearer reader" } };
const KEYS: Readonly<Record<string, ServeOptions>> = {
  "without keys": {},
  "with a key of some collections": {
    hostname: "127.0.0.1",
    apiKeys: [{ key: "reader", capabilities: ["read"], collectionPrefixes: ["pmu/"] }],
  },
};

// A file that was made before was sent for up to ten seconds, and piece by piece for minutes, after the
// obliteration of its stream was acknowledged: what was to be gone could still be downloaded.
for (const [how, options] of Object.entries(KEYS)) {
  Deno.test(`data by URL: no file is sent of an obliterated stream, ${how}`, () =>
    withData(async ({ b, get, failure }) => {
      const own = `/api/v1/data.parquet?stream=${b.uuid}`;
      const paths = [PARQUET, own, `${own}&version=${await b.version()}`];
      const part = { headers: { ...READER.headers, range: "bytes=4-7" } };
      for (const path of paths) {
        for (const init of [READER, part]) {
          const response = await get(path, init);
          assertEquals(response.ok, true);
          await response.body!.cancel();
        }
      }
      await b.obliterate();
      for (const path of paths) {
        const status = (await failure(path, part))[0];
        assertEquals([path, status === 404 || status === 403], [path, true]);
      }
      for (const path of paths.slice(1)) {
        const status = (await failure(path, READER))[0];
        assertEquals([path, status === 404 || status === 403], [path, true]);
      }
      // A new read of whatever is in a collection has what is left.
      const rest = await (await get(PARQUET, READER)).arrayBuffer();
      assertEquals(Object.keys(await columnsOf(new Uint8Array(rest))), ["pmu/s7/a"]);
    }, options));
}

Deno.test("data by URL: a file that is being sent breaks off when its stream is obliterated", () =>
  withData(async ({ db, get }) => {
    const stream = await db.create(crypto.randomUUID(), "pmu/long", { tags: { name: "a" } });
    const n = 1_000_000;
    for (let at = 0; at < 2 * n; at += n) {
      const times = BigInt64Array.from({ length: n }, (_, i) => T + BigInt(at + i));
      await stream.insert({ times, values: Float64Array.from(times, () => Math.random()) });
    }
    const { body, headers } = await get("/api/v1/data.parquet?stream=pmu/long/a");
    const reader = body!.getReader();
    let length = (await reader.read()).value!.length;
    await stream.obliterate();
    // The server looks each second: what it has handed to the system by then still arrives.
    await delay(1_100);
    await assertRejects(async () => {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        length += value.length;
      }
    });
    assert(length < Number(headers.get("content-length")), `${length} bytes came`);
  }));
