/**
 * Many inserts through one client: as many at once as somebody writes in one `Promise.all`, then more,
 * one after another in each of some lanes. `MANY_INSERTS=400000` makes it a minute of 1,000 PMUs.
 *
 * Of 3,000 inserts at once more than half were refused before inserts took turns.
 */

import { assertEquals } from "@std/assert";
import { connect } from "../../mod.ts";
import { ServedDatabase } from "./support/served_database.ts";

const STREAMS = 1_000;
const AT_ONCE = 10_000;
const IN_A_ROW = Number(Deno.env.get("MANY_INSERTS") ?? 20_000);
const LANES = 64;

Deno.test("insert: ten thousand at once, then many in a row, are all acknowledged and stored", async () => {
  const folder = await Deno.makeTempDir({ prefix: "btrdb-many-inserts-" });
  const server = await ServedDatabase.start(`file:${folder}/many.btrdb`, 0, 0);
  try {
    await using db = await connect(server.address);
    const streams = await Promise.all(Array.from({ length: STREAMS }, (_, s) => {
      return db.create(crypto.randomUUID(), "many/inserts", { tags: { name: `s${s}` } });
    }));
    // Insert number i is the point at i of stream i mod 1,000: none may be missing, none be there twice.
    const insert = (i: number) => {
      return streams[i % STREAMS]!.insert({
        times: BigInt64Array.of(BigInt(i)),
        values: Float64Array.of(i),
      });
    };
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => insert(i)));
    let next = AT_ONCE;
    const all = AT_ONCE + IN_A_ROW;
    await Promise.all(Array.from({ length: LANES }, async () => {
      while (next < all) await insert(next++);
    }));
    for (const [s, stream] of streams.entries()) {
      const { times, values } = await stream.rawValues(0n, BigInt(all)).collect();
      const expected = Array.from({ length: Math.ceil((all - s) / STREAMS) }, (_, k) => {
        return s + k * STREAMS;
      });
      assertEquals([...values], expected);
      assertEquals([...times], expected.map(BigInt));
    }
  } finally {
    await server.stop();
    await Deno.remove(folder, { recursive: true });
  }
});
