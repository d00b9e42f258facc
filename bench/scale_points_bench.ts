/**
 * Growth of cost with the points of one stream, in order and late; part of `deno task bench scale`.
 *
 * `BENCH_LARGE=1` adds the sizes that take minutes.
 */

import { DatabaseSync } from "node:sqlite";
import { Random } from "../tests/support/random.ts";
import { type Figures, growth } from "./support/growth.ts";
import { cpuMs, create, engineOf, LARGE, uuidOf, withPath } from "./support/scale.ts";
import { magnitudes } from "./support/synchrophasor.ts";

growth({
  name: "points of one stream in order, magnitudes in single precision",
  axis: "points",
  sizes: LARGE ? [1e6, 1e7, 1e8, 1e9] : [1e6, 1e7],
  run: (size, source) =>
    withPath(async (path): Promise<Figures> => {
      const engine = await (await engineOf(source))({ path, durability: "relaxed" });
      await create(engine, 0, 1);
      let cpu = 0;
      for (let at = 0; at < size; at += 1e6) {
        const columns = magnitudes(Math.min(1e6, size - at), at);
        const start = cpuMs();
        await engine.insert({ uuid: uuidOf(0), columns });
        cpu += cpuMs() - start;
      }
      await engine.close();
      return {
        "CPU a point, ns": cpu * 1e6 / size,
        "bytes of blocks a point": blockBytes(path) / size,
        "bytes of the file a point": Deno.statSync(path).size / size,
      };
    }),
});

/** Points in order of the streams below, of a day at 120 Hz. */
const DAY = 120 * 86_400;

/** Inserts a million points, a part of them late by up to so many points, into one stream. */
async function insertLate(source: URL, by: number, part: number): Promise<Figures> {
  return await withPath(async (path): Promise<Figures> => {
    await using engine = await (await engineOf(source))({ path, durability: "relaxed" });
    await create(engine, 0, 1);
    const uuid = uuidOf(0);
    const before = Math.max(DAY, by);
    for (let at = 0; at < before; at += 131_072) {
      await engine.insert({ uuid, columns: magnitudes(Math.min(131_072, before - at), at) });
    }
    await engine.flush(uuid);
    const bytes = blockBytes(path);
    const random = new Random(5);
    const late = Math.round(1000 * part);
    const fresh = 1000 - late;
    const inserts = Array.from({ length: 1000 }, (_, i) => {
      const columns = magnitudes(1000, before + i * fresh);
      // Between two points each.
      for (let k = fresh; k < 1000; k++) {
        const back = BigInt(random.int(1, by));
        columns.times[k] = columns.times[0]! - back * 8_333_333n + 4_000_000n;
      }
      return columns;
    });
    const cpu = cpuMs();
    for (const columns of inserts) await engine.insert({ uuid, columns });
    await engine.flush(uuid);
    return {
      "CPU a point, µs": (cpuMs() - cpu) / 1000,
      "bytes a point": (blockBytes(path) - bytes) / 1e6,
    };
  });
}

/** Bytes of all blocks. */
function blockBytes(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  const row = db.prepare("SELECT sum(length(data)) AS bytes FROM block").get()!;
  db.close();
  return Number(row["bytes"]);
}

growth({
  name: "a million points in 1,000 inserts, 10 % of them late",
  axis: "seconds late at most",
  sizes: LARGE ? [60, 3600, 86_400, 3_153_600] : [60, 3600, 86_400],
  run: (size, source) => insertLate(source, size * 120, 0.1),
});

growth({
  name: "a million points in 1,000 inserts, late by up to a day",
  axis: "% late",
  sizes: [1, 10, 50],
  run: (size, source) => insertLate(source, DAY, size / 100),
});
