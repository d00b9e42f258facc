/** Memory of a body of line protocol while it is stored. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { BTrDB } from "../../../src/client/btrdb.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { serve } from "../../../src/server/mod.ts";
import { override } from "../../support/override_endpoint.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
setFlagsFromString("--no-expose-gc");

/** Bytes of objects that are in use. */
function bytesInUse(): number {
  collect();
  return Deno.memoryUsage().heapUsed;
}

// 1,024 series were written at a time, and each collection of garbage copied what all of them waited with:
// 9 MB, for which the event loop stood still for 10 to 20 ms of CPU time.
Deno.test("LineStore: at most 256 series of a body are written at a time", async () => {
  await using engine = await openEngine();
  let [underWay, most] = [0, 0];
  const endpoint = override(engine, {
    insert: async (request, options) => {
      most = Math.max(most, ++underWay);
      try {
        return await engine.insert(request, options);
      } finally {
        underWay--;
      }
    },
  });
  await using db = new BTrDB(endpoint);
  await using server = await serve(db, { port: 0, http: { port: 0, write: true } });
  const fields = Array.from({ length: 1_500 }, (_, i) => `f${i}=${i}`).join(",");
  const response = await fetch(`http://127.0.0.1:${server.httpPort}/write?db=grid`, {
    method: "POST",
    body: `cpu ${fields} 1700000000000000000`,
  });
  assertEquals([response.status, await response.text()], [204, ""]);
  assertEquals(underWay, 0);
  assertLessOrEqual(most, 256);
});

// The tags of each series, its collection and its identity were kept until a body was stored. Collections
// of garbage copied the 5 MB of 15,000 series twice, for up to 14 ms of CPU time each.
Deno.test("LineStore: of series that are known, little more than their text is kept", async () => {
  const count = 4_000;
  const lines = Array.from({ length: count }, (_, i) => `cpu,host=server-${i},region=eu v=1 1\n`);
  await using engine = await openEngine();
  let [isSecond, inUse] = [false, 0];
  const endpoint = override(engine, {
    insert: (request, options) => {
      if (isSecond && inUse === 0) inUse = bytesInUse();
      return engine.insert(request, options);
    },
  });
  await using db = new BTrDB(endpoint);
  await using server = await serve(db, { port: 0, http: { port: 0, write: true } });
  const post = async () => {
    const url = `http://127.0.0.1:${server.httpPort}/write?db=grid`;
    const response = await fetch(url, { method: "POST", body: lines.join("") });
    assertEquals([response.status, await response.text()], [204, ""]);
  };
  await post();
  isSecond = true;
  const before = bytesInUse();
  await post();
  assertLessOrEqual((inUse - before) / count, 300);
});
