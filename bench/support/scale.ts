/**
 * Databases whose cost of growth is measured.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import type { Engine, EngineOptions } from "../../src/engine/mod.ts";

/** True if the sizes that take minutes are wanted. */
export const LARGE: boolean = Deno.env.get("BENCH_LARGE") === "1";

/** CPU time of this process so far, ms. */
export function cpuMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

/** The engine of some sources. */
export async function engineOf(source: URL): Promise<(options: EngineOptions) => Promise<Engine>> {
  const url = new URL("src/engine/mod.ts", source).href;
  return (await import(url) as typeof import("../../src/engine/mod.ts")).openEngine;
}

/** Does something with a database file that is removed afterwards. */
export async function withPath<T>(work: (path: string) => Promise<T>): Promise<T> {
  const directory = await Deno.makeTempDir();
  try {
    return await work(`${directory}/grid.btrdb`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** The uuid of a stream by its number. */
export function uuidOf(stream: number): Uint8Array {
  const uuid = new Uint8Array(16);
  new DataView(uuid.buffer).setUint32(0, stream + 1);
  return uuid;
}

/** Creates streams by their numbers, in 100 collections. */
export async function create(engine: Engine, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 4096) {
    await Promise.all(Array.from({ length: Math.min(4096, to - at) }, (_, i) =>
      engine.create({
        uuid: uuidOf(at + i),
        collection: `bench/${(at + i) % 100}`,
        tags: new Map([["name", `s${at + i}`], ["unit", "volts"]]),
        annotations: new Map([["owner", `o${(at + i) % 1000}`]]),
      })));
  }
}
