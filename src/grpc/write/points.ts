/**
 * Calls that change points: insert, delete, flush, obliterate. Those that change nothing when made
 * twice are simply retried; the others are settled first: whether the lost one took place is looked
 * up (docs/retries.md).
 *
 * @module
 */

import { abortable } from "../../core/call.ts";
import { formatTime } from "../../core/time.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { LAST_TIME, MIN_TIME } from "../../core/range.ts";
import { uuidText } from "../../core/uuid.ts";
import { checkDelete, checkInsertPoint, checkInsertSize, TEXT } from "../../endpoint/checks.ts";
import type { CallOptions, InsertRequest, RangeRequest, Version } from "../../endpoint/endpoint.ts";
import { findBadPoint } from "../../kernel/find_bad_point.ts";
import { encodeInsert } from "../../kernel/wire.ts";
import type { Caller, CallSpec } from "../call/caller.ts";
import { decoded, isUncertain, lateError, wasRefused, wasUnsent } from "../errors.ts";
import { decodeVersion, deleteParams, flushParams } from "../wire/messages.ts";
import { type Tries, verdict } from "../call/retry.ts";
import { InsertBatches } from "./insert_batches.ts";
import { persistently } from "./persistently.ts";
import { type ProbeRules, settleDelete, settleInserts } from "./settle.ts";
import { type Outcome, WriteLedger } from "./ledger.ts";
import type { VersionFloors } from "../read/version_floors.ts";

/** Streams whose writes are remembered while nothing is under way. */
const MAX_STREAMS = 4096;

/** Rules of writes. */
export interface WriteRules extends ProbeRules {
  readonly floors: VersionFloors;
  readonly maxInsertPoints: number;
  /** True if the server takes inserts of several streams in one message. */
  readonly insertMany: boolean;
}

/** Inserts, deletes and flushes of one connection. */
export class PointWrites {
  readonly #caller: Caller;
  readonly #rules: WriteRules;
  readonly #batches: InsertBatches;
  readonly #streams: Map<string, WriteLedger> = new Map();
  /** Streams that were obliterated through this connection. */
  readonly #gone: Set<string> = new Set();

  constructor(caller: Caller, rules: WriteRules) {
    this.#caller = caller;
    this.#rules = rules;
    this.#batches = new InsertBatches(caller, rules.insertMany);
  }

  /** See `Endpoint.insert`. */
  async insert(request: InsertRequest, options: CallOptions): Promise<Version> {
    const { uuid, columns, mergePolicy = "never" } = request;
    const n = columns.times.length;
    checkInsertSize(n, this.#rules.maxInsertPoints, uuid);
    const bad = findBadPoint(columns, MIN_TIME, LAST_TIME);
    checkInsertPoint(columns, bad?.index, uuid);
    const spec: CallSpec = { rpc: "Insert", uuid, options, isWrite: true };
    this.#checkGone(spec);
    const message = encodeInsert({ ...request, protocol: this.#caller.protocol });
    const send = async (attempt: number) => {
      const bytes = await this.#batches.send(spec, message, n, attempt);
      return decoded(spec, () => this.#version(bytes, spec));
    };
    const repeatable = n === 0 || mergePolicy !== "never";
    if (repeatable || this.#caller.policy.attempts === 1) return await this.#repeat(spec, send);
    const stream = this.#stream(uuid);
    await stream.begin(
      spec,
      () => persistently(this.#rules, options, () => this.#rules.reader.version(uuid, options)),
    );
    return await this.#insertOnce(stream, request, spec, send);
  }

  /** Sends the inserts that wait for others of the same turn. */
  sendPending(): void {
    this.#batches.flush();
  }

  /** Makes a call that does no harm when it takes place twice. */
  async #repeat(spec: CallSpec, send: (attempt: number) => Promise<Version>): Promise<Version> {
    const tries = this.#caller.tries(spec);
    while (true) {
      try {
        const version = await send(tries.attempt);
        tries.succeeded();
        return version;
      } catch (error) {
        await this.#caller.again(error, tries);
      }
    }
  }

  /** Sends an insert until it is certain that it was stored, or that it cannot be. */
  async #insertOnce(
    stream: WriteLedger,
    request: InsertRequest,
    spec: CallSpec,
    send: (attempt: number) => Promise<Version>,
  ): Promise<Version> {
    const tries = this.#caller.tries(spec);
    while (true) {
      try {
        const version = await send(tries.attempt);
        stream.stored(request.columns.times.length, version);
        tries.succeeded();
        return version;
      } catch (error) {
        if (isUncertain(error) || wasRefused(error)) {
          const version = await this.#settle(stream, request, spec, error);
          if (version !== undefined) return version;
        }
        await this.#again(stream, error, tries, request);
      }
    }
  }

  /** Waits before another try; an insert that is given up is over for its stream. */
  async #again(
    stream: WriteLedger,
    error: unknown,
    tries: Tries,
    request: InsertRequest,
  ): Promise<void> {
    try {
      await this.#caller.again(error, tries);
    } catch (final) {
      const answered = error instanceof BTrDBError && error.code !== 0;
      const refused = answered || verdict(error) !== "fail";
      const unsent = wasUnsent(error);
      stream.ended(refused || unsent);
      throw final === error && isTimeout(final) && !unsent ? doubtful(request, final) : final;
    }
  }

  /** The version after an insert that turned out to be stored; `undefined` if it was not. */
  async #settle(
    stream: WriteLedger,
    request: InsertRequest,
    spec: CallSpec,
    error: unknown,
  ): Promise<Version | undefined> {
    const settling = stream.uncertain(
      request,
      wasRefused(error),
      (uncertain, before) => settleInserts(this.#rules, uncertain, before),
    );
    let outcome: Outcome;
    try {
      outcome = await abortable(settling, spec.options, () => lateError(spec));
    } catch (stopped) {
      void settling.then((late) => late.kind === "not stored" && stream.ended(true));
      throw isTimeout(stopped) ? doubtful(request, stopped) : stopped;
    }
    if (outcome.kind === "unknown") throw doubtful(request, outcome.cause ?? error, outcome.why);
    return outcome.kind === "stored" ? outcome.version : undefined;
  }

  /** See `Endpoint.deleteRange`. */
  async deleteRange(
    request: Omit<RangeRequest, "version">,
    options: CallOptions,
  ): Promise<Version> {
    checkDelete(request);
    const { uuid, start, end } = request;
    const spec: CallSpec = { rpc: "Delete", uuid, options, isWrite: true };
    if (this.#rules.quirks) await this.#mustExist(uuid, options);
    const message = deleteParams(uuid, start, end);
    let result: Version | undefined;
    await this.#stream(uuid).alone(spec, async (before) => {
      const retries = this.#caller.policy.attempts > 1;
      const anchor = before ??
        (retries
          ? await persistently(
            this.#rules,
            options,
            () => this.#rules.reader.version(uuid, options),
          )
          : undefined);
      result = await this.#deleteOnce(spec, message, { uuid, start, end }, anchor);
      if (this.#rules.quirks) this.#rules.floors.raise(uuid, result);
      return result;
    });
    return result!;
  }

  async #deleteOnce(
    spec: CallSpec,
    message: Uint8Array,
    range: { uuid: Uint8Array; start: bigint; end: bigint },
    anchor: Version | undefined,
  ): Promise<Version> {
    const tries = this.#caller.tries(spec);
    while (true) {
      try {
        const decode = (bytes: Uint8Array) => decodeVersion(bytes, spec);
        const version = await this.#caller.once(spec, message, decode, tries.attempt);
        tries.succeeded();
        return version;
      } catch (error) {
        if (isUncertain(error) && anchor !== undefined) {
          const settling = settleDelete(this.#rules, range, anchor);
          const outcome = await abortable(settling, spec.options, () => lateError(spec));
          if (outcome.kind === "stored") return outcome.version;
          if (outcome.kind === "unknown") throw undecided(range, error, outcome.why);
        }
        await this.#caller.again(error, tries);
      }
    }
  }

  /** See `Endpoint.flush`: a second one changes nothing. */
  async flush(uuid: Uint8Array, options: CallOptions): Promise<Version> {
    const spec: CallSpec = { rpc: "Flush", uuid, options, isWrite: true };
    this.#checkGone(spec);
    const decode = (bytes: Uint8Array) => this.#version(bytes, spec);
    return await this.#caller.unary(spec, flushParams(uuid), decode);
  }

  /** Notes that the stream was obliterated. */
  forget(uuid: Uint8Array): void {
    const key = uuidText(uuid);
    this.#streams.delete(key);
    this.#rules.floors.forget(uuid);
    if (this.#gone.size >= MAX_STREAMS) this.#gone.delete(this.#gone.values().next().value!);
    this.#gone.add(key);
  }

  /**
   * Refuses what a real server goes on answering for a stream that is gone (quirk
   * `stale-version-after-obliterate`).
   */
  #checkGone({ uuid, rpc }: CallSpec): void {
    const key = uuidText(uuid!);
    if (!this.#gone.has(key)) return;
    const init = { code: ErrorCode.NoSuchStream, rpc, uuid: key };
    throw new BTrDBError(TEXT.streamDoesNotExist, init);
  }

  #version(bytes: Uint8Array, spec: CallSpec): Version {
    return this.#rules.floors.correct(spec.uuid!, decodeVersion(bytes, spec));
  }

  /**
   * Throws what a delete on an unknown stream answers: a second one hangs a real
   * server (docs/protocol.md, "Quirks of real servers"). The descriptor tells, even when stale.
   */
  async #mustExist(uuid: Uint8Array, options: CallOptions): Promise<void> {
    const request = { uuid, omitVersion: true, omitDescriptor: false };
    try {
      await this.#rules.reader.streamInfo(request, options);
    } catch (error) {
      if (!(error instanceof BTrDBError) || error.code !== ErrorCode.NoSuchStream) throw error;
      const init = { code: error.code, rpc: "Delete", uuid: uuidText(uuid) };
      throw new BTrDBError(TEXT.deleteStreamDoesNotExist, init);
    }
  }

  #stream(uuid: Uint8Array): WriteLedger {
    const key = uuidText(uuid);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      if (this.#streams.size >= MAX_STREAMS) this.#forgetIdle();
      stream = new WriteLedger();
      this.#streams.set(key, stream);
    }
    return stream;
  }

  /** Forgets the older half of the streams, but for those with writes under way. */
  #forgetIdle(): void {
    let left = MAX_STREAMS / 2;
    for (const [key, stream] of this.#streams) {
      if (left-- === 0) return;
      if (stream.idle) this.#streams.delete(key);
    }
  }
}

function isTimeout(error: unknown): error is BTrDBError {
  return error instanceof BTrDBError && error.status === "DEADLINE_EXCEEDED";
}

/** The error of an insert of which nobody can tell whether it was stored. */
function doubtful(request: InsertRequest, cause: unknown, why?: string): BTrDBError {
  const { uuid, columns: { times } } = request;
  const [first, last] = bounds(times);
  const timeout = isTimeout(cause);
  const reason = why ?? (timeout ? "the deadline passed" : "the answer was lost");
  return new BTrDBError(
    `Cannot tell whether ${times.length} points from ${formatTime(first)} to ${formatTime(last)} ` +
      `were stored: ${reason}`,
    {
      status: timeout ? "DEADLINE_EXCEEDED" : "UNKNOWN",
      rpc: "Insert",
      uuid: uuidText(uuid),
      retryable: false,
      cause,
    },
  );
}

/** The error of a delete of which nobody can tell whether it took place. */
function undecided(
  { uuid, start, end }: { uuid: Uint8Array; start: bigint; end: bigint },
  cause: unknown,
  why: string,
): BTrDBError {
  return new BTrDBError(
    `Cannot tell whether ${formatTime(start)} to ${formatTime(end)} was deleted: ${why}`,
    { status: "UNKNOWN", rpc: "Delete", uuid: uuidText(uuid), retryable: false, cause },
  );
}

function bounds(times: BigInt64Array): [bigint, bigint] {
  let [first, last] = [times[0]!, times[0]!];
  for (const time of times) {
    if (time < first) first = time;
    if (time > last) last = time;
  }
  return [first, last];
}
