/** Streams of the series of line protocol, for several callers at once (docs/security.md). */

import {
  assert,
  assertEquals,
  assertLessOrEqual,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { linePrefix, type LineSeries } from "../../../src/core/line_series.ts";
import { uuidText } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { keptIdentity, LineStreams } from "../../../src/server/http/write/line_streams.ts";
import { serve } from "../../../src/server/mod.ts";

function streamOf(field: string) {
  const series: LineSeries = { prefix: "m,host=a", field, line: 1 };
  const id = keptIdentity("db/m", linePrefix(series.prefix)) + field;
  return { collection: "db/m", series, id };
}

// Requests that write the same new series share what looks for it. When the one went away that had
// begun, the others were told 403 "the client is gone", 15 of 60 in a test, and collectors throw away
// points that are refused so.
Deno.test("LineStreams.find: what one caller gives up is done by the next one that waits for it", async () => {
  await using engine = await openEngine();
  const streams = new LineStreams(engine, 10);
  const leaving = new AbortController();
  const gone = streams.find(streamOf("f"), {}, { signal: leaving.signal });
  const others = [1, 2, 3].map(() => streams.find(streamOf("f"), {}, {}));
  leaving.abort(new Error("the client is gone"));
  await assertRejects(() => gone, Error, "the client is gone");
  const found = new Set((await Promise.all(others)).map(uuidText));
  assertEquals([found.size, streams.made], [1, 1]);
});

Deno.test("LineStreams.find: a caller that may make no more streams does not keep others from it", async () => {
  await using engine = await openEngine();
  const streams = new LineStreams(engine, 1);
  const [full, other] = [{}, {}];
  await streams.find(streamOf("first"), full, {});
  const outcomes = await Promise.allSettled(
    [full, full, other].map((owner) => streams.find(streamOf("second"), owner, {})),
  );
  assertEquals(outcomes.map(({ status }) => status), ["rejected", "rejected", "fulfilled"]);
});

// 10,000 series, the most that a key may make, kept 650 MB of tags in memory.
Deno.test("keptIdentity: tags of any length are told apart, and long ones are not kept", () => {
  const prefix = (last: string) => {
    const names = Array.from({ length: 254 }, (_, i) => `t${i}`);
    return { measurement: "m", tags: new Map(names.map((name) => [name, "v".repeat(250) + last])) };
  };
  const [a, b] = [keptIdentity("c", prefix("a")), keptIdentity("c", prefix("b"))];
  assertNotEquals(a, b);
  assertEquals(a, keptIdentity("c", prefix("a")));
  assertNotEquals(a, keptIdentity("d", prefix("a")));
  assertLessOrEqual(a.length, 256);
});

// The refusal quoted the annotation of the stream that is there.
Deno.test("serve http write: a key that may not read is not told the annotations of a stream", async () => {
  await using engine = await openEngine();
  await engine.create({
    uuid: crypto.getRandomValues(new Uint8Array(16)),
    collection: "db/m",
    tags: new Map([["name", "f"]]),
    annotations: new Map([["host", "confidential"]]),
  });
  await using server = await serve(engine, {
    port: 0,
    hostname: "127.0.0.1",
    http: { port: 0, write: { collection: "{bucket}/{measurement}" } },
    apiKeys: [
      { key: "writer", capabilities: ["insert"] },
      { key: "both", capabilities: ["read", "insert"] },
    ],
  });
  for (const [key, isTold] of [["writer", false], ["both", true]] as const) {
    const response = await fetch(`http://127.0.0.1:${server.httpPort}/write?db=db`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: "m,host=b f=1 1",
    });
    const text = await response.text();
    assertEquals([response.status, text.includes("confidential")], [400, isTold]);
    assert(text.includes("annotation host"), text);
  }
});
