import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { delay } from "../../../src/core/call.ts";
import { type Engine, openEngine, verify } from "../../../src/engine/mod.ts";
import { withDirectory } from "../../support/database_file.ts";
import { createStream, pointsOf, rejection, uuidOf } from "../../support/engine.ts";

/** Time after which a writer counts the frames of its log again, ms, and more. */
const COUNTED_MS = 20;

function inserted(engine: Engine, time: bigint): Promise<unknown> {
  const columns = { times: BigInt64Array.of(time), values: Float64Array.of(1) };
  return engine.insert({ uuid: uuidOf(1), columns });
}

/** Writes bytes over a file without making it shorter, which would end a process that has it mapped. */
function writeOver(path: string, bytes: Uint8Array): void {
  using file = Deno.openSync(path, { write: true });
  file.writeSync(bytes);
}

/** The state that a killed writer would leave. */
async function copyOf(path: string, folder: string): Promise<string> {
  const copy = join(folder, "copy.btrdb");
  for (const suffix of ["", "-wal"]) await Deno.copyFile(path + suffix, copy + suffix);
  return copy;
}

// The writer went on, told its callers that all was stored, and wrote it over what it had stored before: of
// 11,936 points 4,287 were gone when the file was opened again, and verify found nothing.
for (const [whose, other] of [["its own, older", false], ["another database's", true]] as const) {
  Deno.test(`LogIndex: ${whose} -shm written over that of a writer loses nothing`, () =>
    withDirectory(async (folder) => {
      const path = join(folder, "grid.btrdb");
      const engine = await openEngine({ path });
      await createStream(engine);
      let foreign = Deno.readFileSync(`${path}-shm`);
      if (other) {
        await using another = await openEngine({ path: join(folder, "other.btrdb") });
        await createStream(another);
        for (let i = 0n; i < 40n; i++) await inserted(another, i);
        foreign = Deno.readFileSync(join(folder, "other.btrdb-shm"));
      }
      for (let i = 0n; i < 20n; i++) await inserted(engine, i);
      await delay(COUNTED_MS);
      await inserted(engine, 20n);
      await delay(COUNTED_MS);
      writeOver(`${path}-shm`, foreign);
      for (let i = 21n; i < 40n; i++) await inserted(engine, i);
      const times = Array.from({ length: 40 }, (_, i) => i);
      const copy = await copyOf(path, folder);
      await engine.close();
      for (const left of [copy, path]) {
        assertEquals((await verify(left)).problems, []);
        await using reader = await openEngine({ path: left });
        assertEquals((await pointsOf(reader, uuidOf(1))).map(([time]) => time), times);
      }
    }));
}

Deno.test("LogIndex: an older -shm in use at once is an error, or loses nothing", () =>
  withDirectory(async (folder) => {
    const path = join(folder, "grid.btrdb");
    const engine = await openEngine({ path });
    await createStream(engine);
    const older = Deno.readFileSync(`${path}-shm`);
    for (let i = 0n; i < 60n; i++) await inserted(engine, i);
    // The frames were just counted, so that the next transaction may write over some of them.
    writeOver(`${path}-shm`, older);
    const refused = new Set<string>();
    for (let i = 60n; i < 300n; i++) {
      await inserted(engine, i).catch(({ status }) => refused.add(status));
    }
    if (refused.size > 0) {
      assertEquals([...refused], ["MOVED"]);
      assertEquals((await rejection(engine.close())).status, "MOVED");
      return;
    }
    // The machine was so busy that they were counted again before.
    await engine.close();
    await using again = await openEngine({ path });
    assertEquals((await pointsOf(again, uuidOf(1))).length, 300);
  }));
