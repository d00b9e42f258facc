/**
 * Progress of derived streams as annotations of their first output.
 *
 * @module
 */

import type { MetadataValues } from "../client/pairs.ts";
import { MAX_TIME, MIN_TIME } from "../core/range.ts";

/** An input, and the versions of it that were worked off. */
export interface InputNote {
  name: string;
  uuid: string;
  /** Version that the outputs are made from; 0 if they are to be computed wholly. */
  done: bigint;
  /** Mark of that version, see `markOf`; empty if there is none. */
  mark: string;
  /** Version that the job under way computes from; 0 without one. */
  target: bigint;
}

/** An output, and the version of it that is known to be right. */
export interface OutputNote {
  name: string;
  uuid: string;
  version: bigint;
  /** Mark of that version; empty if there is none. */
  mark: string;
}

/** Streams that outputs are made from, and how far they are. */
export interface LedgerState {
  /** Name of the definition. */
  name: string;
  /** Version of its code. */
  version: string;
  lookback: bigint;
  lookahead: bigint;
  inputs: readonly InputNote[];
  outputs: readonly OutputNote[];
  /** Time before which the job under way is done; absent without a job. */
  at: bigint | undefined;
}

/** The right of one runner to write, for a time. */
export interface Lease {
  /** Name of the runner that has it. */
  owner: string;
  /** Number of the lease; grows whenever another runner takes it. */
  epoch: bigint;
  /** End, ms since the Unix epoch. */
  expiresMs: number;
}

/** Begin of all keys. */
const PREFIX = "distil.";
/** Name of the definition; only the first output has it. */
export const NAME_KEY = "distil.name";
/** Uuid of the first output, on all others. */
export const FIRST_KEY = "distil.of";
/** The lease. */
export const LEASE_KEY = "distil.lease";
const VERSION_KEY = "distil.version";
const REACH_KEY = "distil.reach";
const AT_KEY = "distil.at";
const NONE = "-";

/** Largest version, and number of a lease. */
const MAX_NUMBER = 2n ** 63n - 1n;
/** Longest lease, ms. */
export const MAX_LEASE_MS = 3_600_000;

/** The state as annotations; those of former inputs and outputs, and of no job, are removed. */
export function annotationsOf(state: LedgerState, present: MetadataValues): MetadataValues {
  const wanted: Record<string, string> = {
    [NAME_KEY]: state.name,
    [VERSION_KEY]: state.version,
    [REACH_KEY]: `${state.lookback} ${state.lookahead}`,
  };
  if (state.at !== undefined) wanted[AT_KEY] = String(state.at);
  state.inputs.forEach(({ name, uuid, done, mark, target }, i) => {
    wanted[`distil.in.${i}`] = [name, uuid, done, mark || NONE, target].join(" ");
  });
  state.outputs.forEach(({ name, uuid, version, mark }, i) => {
    wanted[`distil.out.${i}`] = [name, uuid, version, mark || NONE].join(" ");
  });
  const changes: Record<string, string | null> = {};
  for (const key of Object.keys(present)) {
    const isOurs = key.startsWith(PREFIX) && key !== LEASE_KEY && key !== FIRST_KEY;
    if (isOurs && wanted[key] === undefined) changes[key] = null;
  }
  for (const [key, value] of Object.entries(wanted)) {
    if (present[key] !== value) changes[key] = value;
  }
  return changes;
}

/** The state in annotations; absent if there is none, or a part is missing or damaged. */
export function stateOf(annotations: MetadataValues): LedgerState | undefined {
  const { [NAME_KEY]: name, [VERSION_KEY]: version, [AT_KEY]: at } = annotations;
  const reach = numbers(annotations[REACH_KEY], 2);
  const inputs = notes(annotations, "distil.in.", 5, ([name, uuid, done, mark, target]) => ({
    name: name!,
    uuid: uuid!,
    done: versionOf(done),
    mark: mark === NONE ? "" : mark!,
    target: versionOf(target),
  }));
  const outputs = notes(annotations, "distil.out.", 4, ([name, uuid, version, mark]) => ({
    name: name!,
    uuid: uuid!,
    version: versionOf(version),
    mark: mark === NONE ? "" : mark!,
  }));
  if (typeof name !== "string" || typeof version !== "string" || reach === undefined) {
    return undefined;
  }
  if (inputs === undefined || outputs === undefined) return undefined;
  const isBackwards = ({ done, target }: InputNote) => target !== 0n && target < done;
  if (inputs.some(isBackwards)) return undefined;
  const position = at === undefined || at === null ? undefined : numbers(at, 1)?.[0];
  if (typeof at === "string" && !isTime(position)) return undefined;
  return {
    name,
    version,
    lookback: reach[0]!,
    lookahead: reach[1]!,
    inputs,
    outputs,
    at: position,
  };
}

/**
 * The lease in annotations; absent if nobody has one, or it cannot be read, or ends later than any
 * runner's, whose clock may be an hour ahead: an annotation must not keep all of them out for years.
 */
export function leaseOf(annotations: MetadataValues): Lease | undefined {
  const [owner, epoch, expires] = (annotations[LEASE_KEY] ?? "").split(" ");
  if (!owner || !isNumber(epoch) || !isNumber(expires)) return undefined;
  const lease = { owner, epoch: BigInt(epoch), expiresMs: Number(expires) };
  const isPossible = lease.epoch >= 0n && lease.epoch < MAX_NUMBER &&
    lease.expiresMs <= Date.now() + 2 * MAX_LEASE_MS;
  return isPossible ? lease : undefined;
}

/** A lease as the value of its annotation. */
export function leaseText({ owner, epoch, expiresMs }: Lease): string {
  return `${owner} ${epoch} ${expiresMs}`;
}

function notes<T extends object>(
  annotations: MetadataValues,
  prefix: string,
  parts: number,
  read: (words: string[]) => T,
): T[] | undefined {
  const found: T[] = [];
  for (let i = 0; annotations[`${prefix}${i}`] !== undefined; i++) {
    const words = (annotations[`${prefix}${i}`] ?? "").split(" ");
    if (words.length !== parts) return undefined;
    const note = read(words);
    if (Object.values(note).some((value) => value === undefined)) return undefined;
    found.push(note);
  }
  return found.length === 0 ? undefined : found;
}

function numbers(text: string | null | undefined, count: number): bigint[] | undefined {
  const words = (text ?? "").split(" ");
  if (words.length !== count || !words.every(isNumber)) return undefined;
  return words.map(BigInt);
}

/** A version in a note; absent if it is none, which makes the note damaged. */
function versionOf(word: string | undefined): bigint {
  const version = isNumber(word) ? BigInt(word) : -1n;
  return (version >= 0n && version <= MAX_NUMBER ? version : undefined) as bigint;
}

function isTime(time: bigint | undefined): boolean {
  return time !== undefined && time >= MIN_TIME && time <= MAX_TIME;
}

function isNumber(word: string | undefined): word is string {
  return word !== undefined && /^-?[0-9]{1,20}$/.test(word);
}
