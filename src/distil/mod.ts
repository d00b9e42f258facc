/**
 * Derived streams that keep themselves up to date: what is computed from streams is stored in
 * streams, and computed anew only where the inputs have changed.
 *
 * A run asks the database which ranges of the inputs changed since the versions that it has worked
 * off, and computes only what those reach. Late data, corrections, deletions and a new version of the
 * code all lead to the same outputs as computing everything at once (docs/distil.md).
 *
 * @example Frequency from an angle
 * ```ts
 * import { connect, MILLISECOND, SECOND } from "@btrdb/btrdb";
 * import { distil, frequency } from "@btrdb/btrdb/distil";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const angle = await db.create(crypto.randomUUID(), "pmu", { tags: { name: "L1ANG" } });
 * await angle.insert([0n, 1n, 2n, 3n].map((i) => [i * 20n * MILLISECOND, Number(i) * 3.6] as const));
 * await distil(db, frequency({
 *   angle: "pmu/L1ANG",
 *   frequency: "derived/L1FREQ",
 *   nominal: 50,
 *   over: 30n * MILLISECOND,
 * })).run();
 * const [hertz] = await Array.fromAsync(db.lookupStreams("derived"));
 * const { values } = await hertz!.rawValues(0n, SECOND).collect();
 * assertEquals([...values].map((value) => value.toFixed(6)), Array(4).fill("50.500000"));
 * ```
 *
 * @module
 */

export type {
  DistilDefinition,
  DistilInput,
  DistilOutput,
  DistilRange,
  DistilRows,
  NewOutput,
} from "./definition.ts";
export { distil, Distillate } from "./distillate.ts";
export type { DistilStatus } from "./distil_status.ts";
export { type KnownDistillate, listDistillates } from "./list_distillates.ts";
export type {
  DistilFollowOptions,
  DistilProgress,
  DistilResult,
  DistilRunOptions,
  VersionStep,
} from "./run_options.ts";
export {
  angleDifference,
  type AngleDifferenceOptions,
  frequency,
  type FrequencyStreamOptions,
  type PolarStreams,
  power,
  type PowerStreamOptions,
  type ReadyOptions,
  sequence,
  type SequenceStreamOptions,
} from "./phasor_streams.ts";
