/** Streams to ask for in SQL. */

import type { Engine } from "../../src/engine/mod.ts";
import { uuidOf } from "./engine.ts";

/** Makes streams in three collections, half of them in volts. */
export async function fill(engine: Engine, n: number): Promise<void> {
  await Promise.all(Array.from({ length: n }, (_, i) => {
    const uuid = uuidOf(i & 0xff);
    uuid[0] = i >> 8;
    return engine.create({
      uuid,
      collection: `area/${i % 3}`,
      tags: new Map([["name", `s${i}`], ["unit", i % 2 ? "volts" : "amps"]]),
      annotations: new Map([["owner", i % 5 ? "me" : null]]),
    });
  }));
}

/** Rows of a query. */
export async function rows(engine: Engine, query: string, ...params: string[]): Promise<unknown[]> {
  const batches = await Array.fromAsync(engine.sqlQuery({ query, params }));
  return batches.flat().map((row) => JSON.parse(row));
}
