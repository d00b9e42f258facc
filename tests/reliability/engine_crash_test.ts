/**
 * A process that writes is killed again and again. Each time every acknowledged step must be there,
 * in every version, and of those under way each either wholly or not at all. A longer run:
 *
 *     ENGINE_CRASH_KILLS=300 deno test -A tests/reliability/engine_crash_test.ts
 */

import { assert, assertEquals } from "@std/assert";
import { concatRaw, type RawColumns } from "../../src/core/columns.ts";
import { type Engine, openEngine, verify } from "../../src/engine/mod.ts";
import { BULK_POINTS, bulkPiece } from "../support/bulk_piece.ts";
import { applyStep, CRASH_STREAMS, crashStep, crashUuid } from "../support/crash_plan.ts";
import { runUntilKilled } from "../support/killed_writer.ts";
import { uuidOf } from "../support/engine.ts";
import { type Point, StreamModel } from "../support/engine_model.ts";

const KILLS = Number(Deno.env.get("ENGINE_CRASH_KILLS") ?? 12);

const WRITER = new URL("../support/crash_writer.ts", import.meta.url).pathname;

const BULK_WRITER = new URL("../support/bulk_writer.ts", import.meta.url).pathname;

/** Steps after which a database is begun anew, so that checking it stays quick. */
const MAX_STEPS = 120;

async function create(path: string): Promise<void> {
  await using engine = await openEngine({ path });
  for (let stream = 0; stream < CRASH_STREAMS; stream++) {
    const tags = new Map([["name", `s${stream}`]]);
    await engine.create({
      uuid: crashUuid(stream),
      collection: "crash",
      tags,
      annotations: new Map(),
    });
  }
}

/**
 * Lets the writer run until it is killed, each time elsewhere; the last acknowledged step of each
 * stream.
 */
async function runWriter(path: string, starts: number[], kill: number): Promise<number[]> {
  // From inside in front of a call of SQLite, from outside after so many acknowledged steps.
  const isInside = kill % 2 === 1;
  const killAt = isInside ? 20 + (kill * 37) % 101 : -1;
  const args = [path, String(killAt), ...starts.map(String)];
  const lines = await runUntilKilled(WRITER, args, isInside ? Infinity : 1 + (kill * 7) % 40);
  const acknowledged = starts.map((start) => start - 1);
  for (const line of lines) {
    const [stream, index] = line.split(" ").map(Number);
    acknowledged[stream!] = index!;
  }
  return acknowledged;
}

async function read(engine: Engine, uuid: Uint8Array, version: number): Promise<RawColumns> {
  const range = { start: 0n, end: 2n ** 61n, version: BigInt(version) };
  return concatRaw(
    (await Array.fromAsync(engine.rawValues({ uuid, ...range }))).map((c) => c.columns),
  );
}

function assertPoints({ times, values }: RawColumns, points: Point[], what: string): void {
  assertEquals(times.length, points.length, what);
  for (const [i, { time, value }] of points.entries()) {
    assert(times[i] === time && values[i] === value, `${what}: point ${i}`);
  }
}

/** Brings the model to what was acknowledged, or one step further; the next step to do. */
async function recover(
  engine: Engine,
  stream: number,
  model: StreamModel,
  from: number,
  acknowledged: number,
): Promise<number> {
  const before = model.major;
  for (let index = from; index <= acknowledged; index++) applyStep(model, crashStep(stream, index));
  const uuid = crashUuid(stream);
  const { version } = await engine.streamInfo({ uuid, omitVersion: false, omitDescriptor: true });
  const matches = () =>
    version!.major === BigInt(model.major) && version!.minor === BigInt(model.buffer.length);
  let next = acknowledged + 1;
  if (!matches()) applyStep(model, crashStep(stream, next++));
  assert(matches(), `stream ${stream}: ${version!.major}.${version!.minor} after step ${next - 1}`);
  // A flush of nothing leaves no trace, so a step under way may have been done without showing.
  assertPoints(await read(engine, uuid, 0), model.points(0), `stream ${stream}, latest`);
  // All versions of this run, and some of those that were checked after an earlier one.
  for (const major of model.versions.keys()) {
    if (major < before && (major + next) % 7 !== 0) continue;
    const what = `stream ${stream}, version ${major}`;
    assertPoints(await read(engine, uuid, major), model.points(major), what);
  }
  return next;
}

Deno.test("openEngine: a writer that is killed loses nothing it acknowledged", async () => {
  const directory = await Deno.makeTempDir();
  try {
    let path = "", starts: number[] = [], models: StreamModel[] = [];
    let steps = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      if (path === "" || Math.max(...starts) > MAX_STEPS) {
        path = `${directory}/${kill}.btrdb`;
        starts = Array(CRASH_STREAMS).fill(0);
        models = starts.map(() => new StreamModel());
        await create(path);
      }
      const acknowledged = await runWriter(path, starts, kill);
      const report = await verify(path);
      assertEquals(report.problems, []);
      await using engine = await openEngine({ path });
      for (let stream = 0; stream < CRASH_STREAMS; stream++) {
        const last = acknowledged[stream]!;
        steps += last + 1 - starts[stream]!;
        starts[stream] = await recover(engine, stream, models[stream]!, starts[stream]!, last);
      }
    }
    assert(steps > KILLS, `${steps} steps were acknowledged in ${KILLS} runs`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("openEngine: a bulk load that is killed keeps whole pieces, all that were acknowledged among them", async () => {
  const directory = await Deno.makeTempDir();
  try {
    for (const lines of [6, 11, 17]) {
      const path = `${directory}/${lines}.btrdb`;
      const acknowledged = [-1, -1, -1];
      for (const line of await runUntilKilled(BULK_WRITER, [path, "3"], lines)) {
        const [stream, piece] = line.split(" ").map(Number);
        acknowledged[stream!] = piece!;
      }
      assertEquals((await verify(path)).problems, []);
      await using engine = await openEngine({ path });
      for (const [stream, last] of acknowledged.entries()) {
        const { times, values } = await read(engine, uuidOf(stream + 1), 0);
        const pieces = times.length / BULK_POINTS;
        assert(Number.isInteger(pieces) && pieces > last, `${times.length} points after ${last}`);
        for (let piece = 0; piece < pieces; piece++) {
          const expected = bulkPiece(stream, piece);
          const at = piece * BULK_POINTS;
          assertEquals(times.subarray(at, at + BULK_POINTS), expected.times);
          assertEquals(values.subarray(at, at + BULK_POINTS), expected.values);
        }
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
