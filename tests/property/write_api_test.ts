/** Line protocol over HTTP against a model: what is stored is what a plain reading finds. */

import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { connect, MAX_TIME, MIN_TIME } from "@btrdb/btrdb";
import { serve } from "../../src/server/mod.ts";
import { referenceLines } from "../support/line_protocol_reference.ts";
import { holdsAsync } from "../support/property.ts";

const value = fc.oneof(
  { weight: 8, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
  { weight: 4, arbitrary: fc.maxSafeInteger().map((n) => `${n}i`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("t", "false", '"a\nm v=1 1"', '"\\""', "x", "1e999", ""),
  },
);
const line = fc.tuple(
  fc.constantFrom("m", "m,t=a", "m,t=b,u=1", "m,u=1,t=b", "n\\ x,t=\\,", "m,t=", "m,t=a,t=a"),
  fc.array(fc.tuple(fc.constantFrom("v", "w", "x\\=y"), value), { minLength: 1, maxLength: 3 }),
  fc.integer({ min: 0, max: 20 }),
).map(([prefix, fields, time]) => {
  const list = fields.map(([key, text]) => `${key}=${text}`).join(",");
  return `${prefix} ${list} ${time}`;
});

/** A request: its text, whether it is compressed, and how often it is sent. */
const request = fc.record({
  text: fc.array(line, { maxLength: 30 }).map((lines) => lines.join("\n")),
  isGzip: fc.boolean(),
  times: fc.constantFrom(1, 1, 2),
});

Deno.test("serve http write: what is stored is what a plain reading finds, however often it is sent", async () => {
  await holdsAsync(
    fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 4 }), async (requests) => {
      await using db = await connect("memory:");
      await using server = await serve(db, { port: 0, http: { port: 0, write: true } });
      const model = new Map<string, number>();
      for (const { text, isGzip, times } of requests) {
        const { points, refused } = referenceLines(text, 1n, 0n);
        for (const [series, time, value] of points) {
          const [measurement, tags, field] = JSON.parse(series);
          const path = ["b", measurement, ...tags.map(([, tag]: [string, string]) => tag), field];
          model.set(`${path.join("/")} ${time}`, value);
        }
        const body = isGzip ? gzipSync(text) : text;
        const headers: Record<string, string> = isGzip ? { "content-encoding": "gzip" } : {};
        for (let i = 0; i < times; i++) {
          const url = `http://127.0.0.1:${server.httpPort}/write?db=b`;
          const response = await fetch(url, { method: "POST", headers, body });
          const answer = await response.text();
          assertEquals(response.status, refused.length === 0 ? 204 : 400);
          if (refused.length > 0) assert(answer.includes(`dropped=${refused.length}`), answer);
        }
      }
      const found = new Map<string, number>();
      for await (const stream of db.lookupStreams("", { isCollectionPrefix: true })) {
        const path = `${await stream.collection()}/${(await stream.tags()).name}`;
        const columns = await stream.rawValues(MIN_TIME, MAX_TIME - 1n).collect();
        columns.times.forEach((time, i) => found.set(`${path} ${time}`, columns.values[i]!));
        assertEquals(new Set(columns.times).size, columns.times.length);
      }
      assertEquals([...found].sort(), [...model].sort());
    }),
    60,
  );
});
