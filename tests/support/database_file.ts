/** A small database in a folder of its own, for tests of files. */

import { assert } from "@std/assert";
import { concatRaw } from "../../src/core/columns.ts";
import { BTrDBError } from "../../src/core/errors.ts";
import { type Engine, openEngine } from "../../src/engine/mod.ts";

/** The one stream of the database. */
export const uuid: Uint8Array = new Uint8Array(16).fill(5);

/** Calls a function with the path of an empty folder, which is removed after it. */
export async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Samples of a sine, 120 a second, from the one of a number on. */
export function columns(base: number, n: number): { times: BigInt64Array; values: Float64Array } {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(base + i) * 8_333_333n),
    values: Float64Array.from({ length: n }, (_, i) => Math.sin(base + i)),
  };
}

/** Makes the database: four versions of 4,000 points each, and 500 points that are buffered. */
export async function build(path: string): Promise<void> {
  await using engine = await openEngine({ path });
  const tags = new Map([["name", "s"]]);
  await engine.create({ uuid, collection: "file", tags, annotations: new Map([["k", "v"]]) });
  for (let i = 0; i < 4; i++) {
    await engine.insert({ uuid, columns: columns(5000 * i, 4000) });
    await engine.flush(uuid);
  }
  await engine.insert({ uuid, columns: columns(100_000, 500) });
}

/** Everything that can be read of the stream, as text. */
export async function readAll(engine: Engine): Promise<string> {
  const { version, descriptor } = await engine.streamInfo({
    uuid,
    omitVersion: false,
    omitDescriptor: false,
  });
  const parts = [`${version!.major}.${version!.minor}`, [...descriptor!.annotations].join()];
  for (const major of [0n, 11n, 12n, 13n, 14n]) {
    const range = { uuid, start: 0n, end: 2n ** 61n, version: major };
    const { times, values } = concatRaw(
      (await Array.fromAsync(engine.rawValues(range))).map((c) => c.columns),
    );
    parts.push(times.join(), values.join());
    for (
      const { columns } of await Array.fromAsync(
        engine.alignedWindows({ ...range, pointwidth: 36 }),
      )
    ) {
      parts.push(columns.count.join(), columns.mean.join(), columns.stddev!.join());
    }
  }
  return parts.join("\n");
}

/** Names of the files in a folder, in order. */
export function files(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

/** The error of a promise that is expected to be rejected. */
export async function rejection(promise: Promise<unknown>): Promise<BTrDBError> {
  const error = await promise.then(() => undefined, (error) => error);
  assert(error instanceof BTrDBError, `${error}`);
  return error;
}
