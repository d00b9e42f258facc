/**
 * Points of the tests of reclaiming: written by the process that gets killed, and expected by the
 * check after it.
 */

import type { RawColumns } from "../../src/core/columns.ts";
import type { Engine } from "../../src/engine/mod.ts";

/** Commits a stream has. */
export const RECLAIM_COMMITS = 6;

/** Points of each: every third stream has so many blocks that it takes several tasks to remove them. */
export function reclaimPoints(stream: number): number {
  return stream % 3 === 2 ? 100_000 : 3000;
}

/** The oldest version that is kept; the first one is 11. */
export const RECLAIM_KEEP = 14n;

/** The uuid of a stream. */
export function reclaimUuid(stream: number): Uint8Array {
  const uuid = new Uint8Array(16).fill(3);
  new DataView(uuid.buffer).setUint32(0, stream);
  return uuid;
}

/** The points of a commit: those of the later ones are among those of the first. */
export function reclaimColumns(stream: number, commit: number): RawColumns {
  const n = reclaimPoints(stream);
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i) * 1_000_000n + BigInt(commit)),
    values: Float64Array.from({ length: n }, (_, i) => commit + i),
  };
}

/**
 * Makes a stream and its commits.
 *
 * @param isFlushed Tells after which commits the stream is flushed.
 * @param onStored Called after each commit.
 * @returns Its uuid.
 */
export async function writeReclaimStream(
  engine: Engine,
  stream: number,
  isFlushed: (commit: number) => boolean = () => true,
  onStored: (commit: number) => void = () => {},
): Promise<Uint8Array> {
  const uuid = reclaimUuid(stream);
  const tags = new Map([["name", `s${stream}`]]);
  await engine.create({ uuid, collection: `c${stream % 5}`, tags, annotations: new Map() });
  for (let i = 0; i < RECLAIM_COMMITS; i++) {
    await engine.insert({ uuid, columns: reclaimColumns(stream, i) });
    onStored(i);
    if (isFlushed(i)) await engine.flush(uuid);
  }
  return uuid;
}
