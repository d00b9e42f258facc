/**
 * Finds what derived streams lack: the versions to compute from, and the ranges.
 *
 * @module
 */

import type { BTrDB } from "../client/btrdb.ts";
import type { Stream } from "../client/stream.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { changedRanges } from "./changed_ranges.ts";
import { committedVersion, isGone, markOf, type VersionRules } from "./committed_version.ts";
import type { DistilDefinition } from "./definition.ts";
import type { Left } from "./ledger.ts";
import type { InputNote, LedgerState, OutputNote } from "./ledger_state.ts";
import type { NamedPart } from "./resolve_streams.ts";
import { EVERYTHING, type TimeRange, widened } from "./time_ranges.ts";

/** Streams of a definition, and how they are looked at. */
export interface Parts {
  db: BTrDB;
  definition: DistilDefinition;
  inputs: readonly NamedPart[];
  outputs: readonly NamedPart[];
  rules: VersionRules;
  left: Left;
}

/** Streams looked at at the same time. */
const AT_ONCE = 8;

/** Latest committed versions. */
export interface Present {
  inputs: readonly bigint[];
  outputs: readonly bigint[];
}

/**
 * The latest committed versions of all streams.
 *
 * @param flushOutputs True to commit what is in the buffers of the outputs, whatever the rules say.
 */
export async function presentOf(
  { inputs, outputs, rules, left }: Parts,
  flushOutputs = true,
): Promise<Present> {
  const own = { ...rules, flush: flushOutputs };
  const versionsOf = (parts: readonly NamedPart[], rulesOf: VersionRules) =>
    mapConcurrently(parts, AT_ONCE, ({ stream }) => committedVersion(stream, rulesOf, left()));
  return { inputs: await versionsOf(inputs, rules), outputs: await versionsOf(outputs, own) };
}

/** Tells whether a state is that of the definition, and of these very streams. */
export function isStateOf(state: LedgerState, { definition, inputs, outputs }: Parts): boolean {
  const same = (notes: readonly { name: string; uuid: string }[], parts: readonly NamedPart[]) =>
    notes.length === parts.length &&
    notes.every(({ name, uuid }, i) => name === parts[i]!.name && uuid === parts[i]!.stream.uuid);
  return state.name === definition.name && state.version === definition.version &&
    state.lookback === (definition.lookback ?? 0n) &&
    state.lookahead === (definition.lookahead ?? 0n) &&
    same(state.inputs, inputs) && same(state.outputs, outputs);
}

/** Tells whether nothing is to be done. */
export function isCurrent(state: LedgerState, present: Present): boolean {
  return state.at === undefined &&
    state.inputs.every(({ done }, i) => done === present.inputs[i]) &&
    state.outputs.every(({ version }, i) => version === present.outputs[i]);
}

/**
 * Tells whether the versions noted can be compared with: those of a stream that was restored from a
 * backup or copied are others, or have other points, and versions can be pruned.
 */
export async function isComparable(
  state: LedgerState,
  present: Present,
  { inputs, outputs, left }: Parts,
): Promise<boolean> {
  const noted = (version: bigint, mark: string, latest: bigint, stream: Stream) =>
    matches(version, mark, latest, stream, left);
  for (const [i, { done, target, mark }] of state.inputs.entries()) {
    if (target > present.inputs[i]!) return false;
    if (!await noted(done, mark, present.inputs[i]!, inputs[i]!.stream)) return false;
  }
  for (const [i, { version, mark }] of state.outputs.entries()) {
    if (!await noted(version, mark, present.outputs[i]!, outputs[i]!.stream)) return false;
  }
  return true;
}

async function matches(
  version: bigint,
  mark: string,
  latest: bigint,
  stream: Stream,
  left: Left,
): Promise<boolean> {
  if (version > latest) return false;
  if (version === 0n) return true;
  const found = await markOf(stream, version, left());
  return found !== undefined && (mark === "" || found === mark);
}

/** The state of a job that computes everything. */
export function wholeJob({ definition, inputs, outputs }: Parts, present: Present): LedgerState {
  return {
    name: definition.name,
    version: definition.version,
    lookback: definition.lookback ?? 0n,
    lookahead: definition.lookahead ?? 0n,
    inputs: inputs.map(({ name, stream: { uuid } }, i): InputNote => ({
      name,
      uuid,
      done: 0n,
      mark: "",
      target: present.inputs[i]!,
    })),
    outputs: outputs.map(({ name, stream: { uuid } }, i): OutputNote => ({
      name,
      uuid,
      version: present.outputs[i]!,
      mark: "",
    })),
    at: EVERYTHING.start,
  };
}

/** The state with a job under way: the one that was interrupted, if its versions are still there. */
export async function jobOf(
  state: LedgerState,
  present: Present,
  { inputs, left }: Parts,
): Promise<LedgerState> {
  if (state.at !== undefined) {
    const there = await mapConcurrently(
      state.inputs,
      AT_ONCE,
      ({ target }, i) => isReadable(inputs[i]!.stream, target, left),
    );
    if (there.every(Boolean)) return state;
  }
  return {
    ...state,
    inputs: state.inputs.map((input, i) => ({ ...input, target: present.inputs[i]! })),
    at: EVERYTHING.start,
  };
}

async function isReadable(stream: Stream, version: bigint, left: Left): Promise<boolean> {
  try {
    await stream.nearest(EVERYTHING.start, { ...left(), version });
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

/** Ranges of the outputs that the changes of the inputs reach. */
export async function rangesToCompute(
  { inputs }: LedgerState,
  { definition, inputs: parts, left }: Parts,
): Promise<TimeRange[]> {
  if (inputs.some(({ done }) => done === 0n)) return [EVERYTHING];
  const { lookback = 0n, lookahead = 0n } = definition;
  // What is finer than a part of the reach makes no difference.
  const reach = lookback + lookahead;
  const resolution = Math.max(0, reach.toString(2).length - 4);
  const changed: TimeRange[] = [];
  for (const [i, { done, target }] of inputs.entries()) {
    const pair = { stream: parts[i]!.stream, from: done, to: target };
    changed.push(...await changedRanges(pair, resolution, left));
  }
  return widened(changed, lookahead, lookback);
}

/** Ranges in which the outputs were changed by another program, or by a run that was interrupted. */
export async function rangesToRepair(
  { outputs }: LedgerState,
  present: Present,
  { outputs: parts, left }: Parts,
): Promise<TimeRange[]> {
  const changed: TimeRange[] = [];
  for (const [i, { version }] of outputs.entries()) {
    const pair = { stream: parts[i]!.stream, from: version, to: present.outputs[i]! };
    changed.push(...await changedRanges(pair, 0, left));
  }
  return widened(changed, 0n, 0n);
}
