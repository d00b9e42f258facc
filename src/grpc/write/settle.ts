/**
 * Finds out whether a write took place after its answer was lost (docs/retries.md).
 *
 * @module
 */

import { MAX_ALIGNED_POINTWIDTH } from "../../core/pointwidth.ts";
import { delay } from "../../core/call.ts";
import { LATEST, MAX_TIME, MIN_TIME } from "../../core/range.ts";
import type { InsertRequest, Version } from "../../endpoint/endpoint.ts";
import { sameVersion } from "../../endpoint/version.ts";
import type { Reader } from "../read/reader.ts";
import type { Before, Outcome, UncertainInsert } from "./ledger.ts";
import { type Persistence, persistently } from "./persistently.ts";

/** Rules of probes, which read a stream to settle a write. */
export interface ProbeRules extends Persistence {
  readonly reader: Reader;
  /** True if reported majors can lag behind (quirk `stale-major-after-delete`). */
  readonly quirks: boolean;
}

/** The last major version without any commit (docs/protocol.md, "Versions"). */
const FIRST_MAJOR = 10n;
/**
 * Probes ignore the caller's signal and deadline; a caller that times out just stops waiting for
 * the result.
 */
const OPTIONS = {};

/**
 * Settles inserts of one stream. Each is all or nothing, so one of its points tells: if that is not
 * there, the insert was not stored. If it is there, it could have been there before; the number of
 * points of the whole stream, and the stream as it was before, decide.
 *
 * @returns The version that was seen.
 */
export async function settleInserts(
  rules: ProbeRules,
  uncertain: readonly UncertainInsert[],
  before: Before,
): Promise<Version | undefined> {
  // Of those that were refused, nothing can be under way any more.
  const areRefused = uncertain.every((doubt) => doubt.isRefused);
  try {
    if (!areRefused) await delay(rules.settleMs);
    let seen = await persistently(rules, OPTIONS, () => probe(rules, uncertain, before));
    if (!areRefused && seen.outcomes.some((fate) => fate.kind === "not stored")) {
      await delay(rules.settleMs);
      seen = await persistently(rules, OPTIONS, () => probe(rules, uncertain, before));
    }
    uncertain.forEach((doubt, i) => settle(doubt, seen.outcomes[i]!));
    return seen.version;
  } catch (cause) {
    const why = "the stream could not be looked at afterwards";
    for (const doubt of uncertain) settle(doubt, { kind: "unknown", why, cause });
    return undefined;
  }
}

/** Tells an insert its outcome. If nobody can know it, a server that refused it is believed. */
function settle(doubt: UncertainInsert, outcome: Outcome): void {
  const isBelieved = doubt.isRefused && outcome.kind === "unknown";
  doubt.settle(isBelieved ? { kind: "not stored" } : outcome);
}

interface Probe {
  version: Version;
  outcomes: Outcome[];
}

async function probe(
  rules: ProbeRules,
  uncertain: readonly UncertainInsert[],
  before: Before,
): Promise<Probe> {
  const { uuid } = uncertain[0]!.request;
  const version = await rules.reader.version(uuid, OPTIONS);
  const none: Outcome = { kind: "not stored" };
  const { anchor, added } = before;
  if (anchor !== undefined && added === 0n && sameVersion(version, anchor)) {
    return { version, outcomes: uncertain.map(() => none) };
  }
  const witnesses = uncertain.map((doubt) => witnessOf(doubt.request));
  const present: boolean[] = [];
  for (const witness of witnesses) {
    present.push(await countOf(rules, uuid, witness, LATEST) >= witness.count);
  }
  if (!present.includes(true)) return { version, outcomes: uncertain.map(() => none) };
  const verdict = await judge(rules, uncertain, witnesses, present, before);
  const outcomes = present.map((there): Outcome => {
    if (!there) return none;
    return verdict === "stored" ? { kind: "stored", version } : verdict;
  });
  return { version, outcomes };
}

/** Outcome of the inserts whose points are there: all of them the same. */
async function judge(
  rules: ProbeRules,
  uncertain: readonly UncertainInsert[],
  witnesses: readonly Witness[],
  present: readonly boolean[],
  { anchor, added }: Before,
): Promise<"stored" | Outcome> {
  const unknown: Outcome = { kind: "unknown", why: "others have written to the stream meanwhile" };
  if (anchor === undefined) return unknown;
  const { uuid } = uncertain[0]!.request;
  const candidates = uncertain.filter((_, i) => present[i]);
  const expected = candidates.reduce((sum, d) => sum + BigInt(d.request.columns.times.length), 0n);
  const was = await totalAt(rules, uuid, anchor.major) + anchor.minor;
  const growth = await totalAt(rules, uuid, LATEST) - was;
  const same = growth === added + expected;
  if (growth === added && !rules.quirks) return { kind: "not stored" };
  if (candidates.length !== 1 || anchor.minor !== 0n || added !== 0n) {
    return same ? "stored" : unknown;
  }
  // The numbers can agree by chance: others who write as many points as we do.
  if (await hasGrown(rules, uuid, witnesses[present.indexOf(true)]!, anchor.major)) return "stored";
  return rules.quirks ? unknown : { kind: "not stored" };
}

/**
 * Tells whether the witness is in the stream as often more than at a version as it is in its
 * insert.
 */
async function hasGrown(
  rules: ProbeRules,
  uuid: Uint8Array,
  witness: Witness,
  since: bigint,
): Promise<boolean> {
  const now = await countOf(rules, uuid, witness, LATEST);
  const then = since <= FIRST_MAJOR ? 0 : await countOf(rules, uuid, witness, since);
  return now - then >= witness.count;
}

/** A point of an insert, and how often it is in it. */
interface Witness {
  time: bigint;
  /** Absent where the server rounds values. */
  value: number | undefined;
  count: number;
}

function witnessOf({ columns: { times, values }, roundBits }: InsertRequest): Witness {
  const time = times[0]!;
  const value = roundBits === undefined ? values[0]! : undefined;
  let count = 0;
  for (let i = 0; i < times.length; i++) {
    if (times[i] === time && (value === undefined || Object.is(values[i], value))) count++;
  }
  return { time, value, count };
}

/** Number of times that the witness is in the stream. */
async function countOf(
  { reader }: ProbeRules,
  uuid: Uint8Array,
  { time, value }: Witness,
  version: bigint,
): Promise<number> {
  const range = { uuid, start: time, end: time + 1n, version };
  let count = 0;
  for await (const { columns: { values } } of reader.raw(range, OPTIONS)) {
    for (const stored of values) if (value === undefined || Object.is(stored, value)) count++;
  }
  return count;
}

/** Number of points of the whole stream. */
async function totalAt(
  { reader }: ProbeRules,
  uuid: Uint8Array,
  version: bigint,
): Promise<bigint> {
  if (version !== LATEST && version <= FIRST_MAJOR) return 0n;
  const request = {
    uuid,
    start: MIN_TIME,
    end: MAX_TIME,
    version,
    pointwidth: MAX_ALIGNED_POINTWIDTH,
  };
  const { columns } = await reader.collectAligned(request, OPTIONS);
  return columns.count.reduce((sum, count) => sum + count, 0n);
}

/** Settles a delete whose answer was lost. */
export async function settleDelete(
  rules: ProbeRules,
  range: { uuid: Uint8Array; start: bigint; end: bigint },
  anchor: Version | undefined,
): Promise<Outcome> {
  await delay(rules.settleMs);
  const look = () => persistently(rules, OPTIONS, () => probeDelete(rules, range, anchor));
  const outcome = await look();
  if (outcome.kind !== "not stored") return outcome;
  await delay(rules.settleMs);
  return await look();
}

async function probeDelete(
  rules: ProbeRules,
  range: { uuid: Uint8Array; start: bigint; end: bigint },
  anchor: Version | undefined,
): Promise<Outcome> {
  const { reader, quirks } = rules;
  const version = await reader.version(range.uuid, OPTIONS);
  const same = anchor !== undefined && sameVersion(version, anchor);
  const isFilled = await hasPoints(rules, range);
  if (same && (isFilled || !quirks)) return { kind: "not stored" };
  if (!isFilled) return { kind: "stored", version: await trueVersion(rules, range, version) };
  return { kind: "unknown", why: "the stream has changed and has points in that range" };
}

async function hasPoints(
  { reader }: ProbeRules,
  { uuid, start, end }: { uuid: Uint8Array; start: bigint; end: bigint },
): Promise<boolean> {
  const parts = reader.raw({ uuid, start, end, version: LATEST }, OPTIONS);
  for await (const part of parts) if (part.columns.times.length > 0) return true;
  return false;
}

/** The version after a delete, on servers that go on reporting the one before. */
async function trueVersion(
  { reader, quirks }: ProbeRules,
  { uuid, start }: { uuid: Uint8Array; start: bigint },
  version: Version,
): Promise<Version> {
  if (!quirks) return version;
  const next = version.major + 1n;
  try {
    const range = { uuid, start, end: start + 1n, version: next };
    for await (const _ of reader.raw(range, OPTIONS)) break;
    return { major: next, minor: version.minor };
  } catch {
    return version;
  }
}
