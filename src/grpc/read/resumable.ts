/**
 * Resumes server streams: a broken one is requested again from where it stopped, at the same
 * version, so that the caller sees everything once (docs/retries.md).
 *
 * @module
 */

import { isLatest } from "../../endpoint/checks.ts";
import type { CallOptions, Chunk, Version } from "../../endpoint/endpoint.ts";
import type { Caller, CallSpec, OpenCall } from "../call/caller.ts";
import { movedError, wrongAnswer } from "../errors.ts";
import { giveBack } from "../transport/message_memory.ts";
import type { VersionFloors } from "./version_floors.ts";

/** A kind of server stream: its requests, and the rows that were taken. */
export interface ResumableSource<Columns> {
  readonly rpc: string;
  readonly uuid: Uint8Array;
  /** Version asked for. */
  readonly version: bigint;
  /**
   * The request for what has not been taken yet.
   *
   * @param version Version to ask for.
   * @returns `undefined` if nothing is left to ask for.
   */
  request(version: bigint): Uint8Array | undefined;
  /** Reads a message, of which the chunk keeps nothing; throws what its `stat` says. */
  decode(bytes: Uint8Array): Chunk<Columns>;
  /** Notes that `columns` are taken; returns what of them is new. */
  take(columns: Columns): Columns;
  /** The same for rows that do not come in order of time, as unflushed points of real servers. */
  unordered?(): ResumableSource<Columns>;
  /** Number of rows. */
  size(columns: Columns): number;
}

/** Rules for resuming a broken read at the same version. */
export interface ResumeRules {
  /**
   * True if reported major versions can lag behind the data (quirk `stale-major-after-delete`):
   * then the latest version is read again as such, as long as its number has not changed.
   */
  readonly quirks: boolean;
  /** Puts such majors right where it is known how. */
  readonly floors: VersionFloors;
}

/** The version that the first message of an answer told. */
interface Pin {
  readonly version: Version;
  /** Ask for the latest version again and compare, instead of asking for the major. */
  latest: boolean;
}

/**
 * Reads an answer to its end, through as many connections as it takes. At least one part is
 * yielded, and all have the same version.
 *
 * @throws {BTrDBError} What the server said; `ABORTED` if the answer broke and the stream has
 * changed since, so that the rest cannot be told from what came after.
 */
export async function* readResumable<Columns>(
  caller: Caller,
  source: ResumableSource<Columns>,
  rules: ResumeRules,
  options: CallOptions,
): AsyncGenerator<Chunk<Columns>, void, undefined> {
  const { rpc, uuid, version } = source;
  const latest = isLatest(version);
  const spec: CallSpec = { rpc, uuid, anyNode: !latest, options };
  let current = source;
  let pin: Pin | undefined;
  let answer: { call: OpenCall; major: bigint } | undefined;
  let asked = version;
  yield* caller.stream(spec, {
    async open(attempt) {
      asked = pin === undefined || pin.latest ? version : pin.version.major;
      const message = current.request(asked);
      if (message === undefined) return undefined;
      return await caller.open({ ...spec, anyNode: !isLatest(asked) }, message, attempt);
    },
    read(bytes, call): Chunk<Columns> | undefined {
      const part = current.decode(bytes);
      giveBack(bytes);
      const { major } = part.version;
      if (answer?.call !== call) answer = { call, major };
      if (answer.major !== major) {
        throw wrongAnswer(`it is of versions ${answer.major} and ${major}`, spec);
      }
      if (isLatest(asked)) part.version = rules.floors.correct(uuid, part.version);
      call.rpc.recorder.points += current.size(part.columns);
      const first = pin === undefined;
      if (pin === undefined) {
        pin = pinOf(part.version, latest, rules);
        const ordered = !rules.quirks || pin.version.minor === 0n;
        if (!ordered) current = current.unordered?.() ?? current;
      } else checkSame(pin, part.version, spec);
      const columns = current.take(part.columns);
      if (!first && current.size(columns) === 0) return undefined;
      return { version: pin.version, columns };
    },
    recover(error) {
      if (!(error instanceof Moved) || pin === undefined) return false;
      if (pin.version.minor !== 0n || !pin.latest) throw error.reason;
      pin.latest = false;
      return true;
    },
  });
}

function pinOf(version: Version, latest: boolean, rules: ResumeRules): Pin {
  return { version, latest: latest && (version.minor !== 0n || rules.quirks) };
}

/** Thrown to ourselves: the latest version is another one now. */
class Moved {
  readonly reason: Error;

  constructor(reason: Error) {
    this.reason = reason;
  }
}

/** All messages of an answer, and of its continuations, carry one version. */
function checkSame(pin: Pin, { major, minor }: Version, spec: CallSpec): void {
  const { version } = pin;
  if (major === version.major && (minor === version.minor || !pin.latest)) return;
  throw new Moved(movedError(
    `Cannot continue ${spec.rpc}: the connection broke, and version ${text(version)} has become ` +
      `${text({ major, minor })} since`,
    spec,
  ));
}

function text({ major, minor }: Version): string {
  return `${major}.${minor}`;
}
