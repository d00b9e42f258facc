/**
 * Files of every format, changed at random, half of them so that checksums and lengths fit: an import ends soon, with points or one of its errors;
 * what is protected by checksums gives what was in the file; and the same bytes give the same points
 * from a file and in pieces. For ten minutes, from any seed:
 *
 *     FUZZ_MINUTES=10 FUZZ_SEED=1 deno test -A tests/reliability/import_fuzz_test.ts
 */

import { assert, assertEquals } from "@std/assert";
import { BTrDBError } from "../../src/core/errors.ts";
import { explain, ImportError, type ImportInput } from "../../src/ingest/mod.ts";
import { imported, type PointsByPath } from "../support/imported.ts";
import { type ImportSample, importSamples } from "../support/import_samples.ts";
import { damaged, fuzzing } from "../support/fuzzing.ts";
import { changedFrame, isDataFrame, splitFrames } from "../support/sealed_damage.ts";
import type { Random } from "../support/random.ts";

/** Errors that users are meant to see. */
function isOurs(error: unknown): error is Error {
  if (error instanceof ImportError || error instanceof BTrDBError) return true;
  return error instanceof Error && error.name === "CsvError";
}

/** Points, or the message of one of our errors. */
async function points(what: string, input: ImportInput, sample: ImportSample) {
  try {
    return (await imported(input, sample.options ?? {})).points;
  } catch (error) {
    assert(isOurs(error), `${what}: ${(error as Error)?.stack ?? error}`);
    assert(error.message.length < 4000, `${what}: ${error.message.length} characters`);
    return error.message;
  }
}

/** Bytes in pieces of any length. */
async function* pieces(bytes: Uint8Array, random: Random): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const length = random.int(1, random.pick([1, 30, 4000]));
    await Promise.resolve();
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** Number of points that are not among those of the whole file. */
function strangers(found: PointsByPath, all: PointsByPath): number {
  return Object.entries(found).reduce((sum, [path, list]) => {
    const known = new Set(all[path]?.map(String));
    return sum + list.filter((point) => !known.has(String(point))).length;
  }, 0);
}

Deno.test("importFile: files changed at random give points or an error, soon, and the same ones in pieces", async () => {
  const samples = await importSamples();
  const names = Object.keys(samples);
  const folder = await Deno.makeTempDir();
  const original: Record<string, PointsByPath> = {};
  let strange = 0;
  let outcomes = { points: 0, errors: 0 };
  try {
    for (const random of fuzzing("import", 400, 3_000)) {
      const name = random.pick(names);
      const sample = samples[name]!;
      const [first, ...others] = Object.keys(sample.files);
      const path = `${folder}/${first}`;
      for (const file of [first!, ...others]) {
        await Deno.writeFile(`${folder}/${file}`, sample.files[file]!);
      }
      if (original[name] === undefined) {
        const all = await points(name, path, sample);
        assert(typeof all !== "string", `${name}: ${all}`);
        original[name] = all;
      }
      const isSealed = sample.sealed !== undefined && random.chance(0.5);
      const changed = isSealed ? first! : random.pick([first!, ...others]);
      const bytes = isSealed ? sample.sealed!(random) : damaged(sample.files[changed]!, random);
      await Deno.writeFile(`${folder}/${changed}`, bytes);
      await explain(path, sample.options).catch((error) =>
        assert(isOurs(error), `${error?.stack}`)
      );
      const found = await points(name, path, sample);
      outcomes = {
        points: outcomes.points + Number(typeof found !== "string"),
        errors: outcomes.errors + Number(typeof found === "string"),
      };
      for (const file of [first!, ...others]) await Deno.remove(`${folder}/${file}`);
      if (typeof found !== "string" && !isSealed) {
        if (sample.checked === "whole") assertEquals(found, original[name], name);
        // Checksums have 16 bits: one of 65,536 changed frames has a right one.
        if (sample.checked === "frames" && strangers(found, original[name]!) > 0) strange++;
      }
      // Names of files say the start of JSIS tables, and records of two files have no pieces.
      if (others.length > 0 || name === "jsis" || random.chance(0.5)) continue;
      const again = await points(name, pieces(bytes, random), sample);
      if (typeof found !== "string" && typeof again !== "string") assertEquals(again, found, name);
    }
    assert(outcomes.points + outcomes.errors > 0);
    assert(
      strange <= 2 + outcomes.points / 10_000,
      `${strange} files with points of changed frames`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Frames of the sample in its second. */
const RATE = 30;

/** Points by path and time, without those of some frames. */
function withoutTicks(points: PointsByPath, ticks: ReadonlySet<number>): PointsByPath {
  return Object.fromEntries(
    Object.entries(points).map(([path, list]) => {
      const kept = list.filter(([time]) => {
        const ms = Temporal.Instant.from(time).epochMilliseconds % 1000;
        return !ticks.has(Math.round(ms * RATE / 1000));
      });
      return [path, kept];
    }),
  );
}

Deno.test("importFile: what is wrong in a frame, whose checksum is right, changes no point of another frame", async () => {
  const samples = await importSamples();
  const frames = splitFrames(samples["frames"]!.files["a.bin"]!);
  const first = frames.findIndex(isDataFrame);
  const whole = await imported(samples["frames"]!.files["a.bin"]!);
  for (const random of fuzzing("sealed frames", 100)) {
    const changed = [...frames];
    const ticks = new Set<number>();
    for (let i = random.int(1, 5); i > 0; i--) {
      const at = random.int(first, frames.length - 1);
      ticks.add(at - first);
      changed[at] = changedFrame(frames[at]!, random);
    }
    const bytes = Uint8Array.from(changed.flatMap((frame) => [...frame]));
    const { points } = await imported(bytes);
    assertEquals(withoutTicks(points, ticks), withoutTicks(whole.points, ticks));
    const again = await imported(pieces(bytes, random));
    assertEquals(again.points, points);
  }
});
