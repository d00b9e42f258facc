/** Memory of a body of line protocol while it is stored. */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { BTrDB } from "../../../src/client/btrdb.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { serve } from "../../../src/server/mod.ts";
import { override } from "../../support/override_endpoint.ts";

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
