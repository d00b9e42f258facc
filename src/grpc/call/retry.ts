/**
 * Retry rules: errors, pauses and limits (docs/protocol.md, "Retrying").
 *
 * @module
 */

import { delay, MAX_TIMER_MS } from "../../core/call.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import type { CallContext } from "../errors.ts";
import { type CallHooks, tell } from "../transport/telemetry.ts";
import { outOfRange } from "../../core/argument_error.ts";

/** Limits of the retries of a connection. */
export interface RetryOptions {
  /**
   * Tries of a call without progress, the first one included. Without this option it is 16, and
   * `maxElapsedMs` alone limits writes whose node does not answer or does not own the stream, and
   * every call while the cluster is recovering.
   *
   * @default {16}
   */
  attempts?: number;
  /** Upper bound of the first pause, ms; every further bound is twice the last. @default {100} */
  initialDelayMs?: number;
  /** Upper bound of any pause, ms. @default {4000} */
  maxDelayMs?: number;
  /**
   * No retry begins later than this after the last progress, ms. A server that was killed needs 8
   * to 90 s to read its journal back (docs/retries.md).
   *
   * @default {120000}
   */
  maxElapsedMs?: number;
  /**
   * Retries that the whole connection may make in a burst; it earns them back with calls that
   * succeed (one for ten) and with time (ten a second). @default {500}
   */
  budget?: number;
}

/** Reaction to an error: fail, wait, or ask for the mash and wait. */
export type Verdict = "fail" | "wait" | "resync";

/** BTrDB codes that pass with time alone: overload, etcd, a metadata race, Ceph, tiered storage. */
const WAIT: ReadonlySet<number> = new Set<number>([
  ErrorCode.ResourceDepleted,
  ErrorCode.EtcdFailure,
  ErrorCode.ConcurrentModification,
  ErrorCode.CephError,
  ErrorCode.TieredStorageTemporaryError,
]);

/** BTrDB codes that say that we asked the wrong node. */
const RESYNC: ReadonlySet<number> = new Set<number>([
  ErrorCode.WrongEndpoint,
  ErrorCode.ClusterDegraded,
]);

/**
 * Classifies an error for a retry.
 *
 * @param error Anything a call threw.
 */
export function verdict(error: unknown): Verdict {
  if (!(error instanceof BTrDBError)) return "fail";
  if (error.code === 0) return error.status === "UNAVAILABLE" ? "resync" : "fail";
  if (RESYNC.has(error.code)) return "resync";
  return WAIT.has(error.code) ? "wait" : "fail";
}

/** Retries a connection can still afford: a token bucket. */
export class RetryBudget {
  readonly #capacity: number;
  #tokens: number;
  #refilledMs: number;

  constructor(capacity: number, nowMs: number = Date.now()) {
    this.#capacity = capacity;
    this.#tokens = capacity;
    this.#refilledMs = nowMs;
  }

  /** A call succeeded. */
  earn(): void {
    this.#tokens = Math.min(this.#capacity, this.#tokens + 0.1);
  }

  /** Takes one retry; `false` when there is none left. */
  take(nowMs: number = Date.now()): boolean {
    const earned = Math.max(0, nowMs - this.#refilledMs) / 100;
    this.#tokens = Math.min(this.#capacity, this.#tokens + earned);
    this.#refilledMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}

/** Their pauses last 21 s on average. */
const ATTEMPTS = 16;

/** The rules of one connection. */
export class RetryPolicy {
  readonly attempts: number;
  /** True if the number of tries limits every call, because it was asked for. */
  readonly limitsAll: boolean;
  readonly maxElapsedMs: number;
  readonly budget: RetryBudget;
  readonly hooks: CallHooks | undefined;
  readonly #initialDelayMs: number;
  readonly #maxDelayMs: number;

  /**
   * @param options Limits; `false` for no retries.
   * @param hooks Told about every retry.
   * @throws {RangeError} If a number makes no sense.
   */
  constructor(options: RetryOptions | false | undefined, hooks?: CallHooks) {
    const given = options === false ? { attempts: 1 } : options ?? {};
    this.attempts = atLeast("attempts", given.attempts ?? ATTEMPTS, 1);
    this.limitsAll = given.attempts !== undefined;
    this.#initialDelayMs = atLeast("initialDelayMs", given.initialDelayMs ?? 100, 0);
    this.#maxDelayMs = atLeast("maxDelayMs", given.maxDelayMs ?? 4000, 0);
    this.maxElapsedMs = atLeast("maxElapsedMs", given.maxElapsedMs ?? 120_000, 0);
    this.budget = new RetryBudget(atLeast("budget", given.budget ?? 500, 0));
    this.hooks = hooks;
  }

  /**
   * The pause before try number `attempt` + 1: exponential with full jitter.
   *
   * @param attempt Tries so far, from 1.
   * @param random 0 to 1.
   */
  delayMs(attempt: number, random: number = Math.random()): number {
    const bound = Math.min(this.#maxDelayMs, this.#initialDelayMs * 2 ** Math.min(attempt - 1, 30));
    return Math.min(bound * random, MAX_TIMER_MS);
  }
}

function atLeast(name: string, value: number, least: number): number {
  if (typeof value === "number" && value >= least) return value;
  throw outOfRange(`Cannot connect: retry.${name} is ${value}, expected at least ${least}`);
}

/** State of a cluster that does not serve all of its streams. */
export interface Recovery {
  /** True if the cluster says that all of its nodes are well. */
  readonly healthy: boolean;
  /** Share of the streams without an owner, percent. */
  readonly unmapped: number;
}

/** A call that may be retried. */
export interface RetriedCall extends CallContext {
  /** True if it changes something: then it waits for the node that owns the stream. */
  readonly isWrite?: boolean | undefined;
  /** State of the cluster, as far as it is known. */
  readonly health?: (() => Recovery | undefined) | undefined;
}

/** The tries of one call. */
export class Tries {
  /** Number of the current try without progress, from 1. */
  attempt = 1;
  readonly call: RetriedCall;
  readonly #policy: RetryPolicy;
  #sinceMs: number = Date.now();

  constructor(policy: RetryPolicy, call: RetriedCall) {
    this.#policy = policy;
    this.call = call;
  }

  /** The call made progress: its limits start anew. */
  progress(): void {
    this.attempt = 1;
    this.#sinceMs = Date.now();
  }

  /** The call succeeded. */
  succeeded(): void {
    this.#policy.budget.earn();
  }

  /**
   * Waits until the call may be retried.
   *
   * @param error Why it failed.
   * @throws `error` itself, if it is not one to retry, or if limits, budget or deadline do not
   * allow it; the reason of the signal when it is aborted meanwhile.
   */
  async pause(error: unknown): Promise<void> {
    const { rpc, options: { signal, deadlineMs } } = this.call;
    signal?.throwIfAborted();
    const policy = this.#policy;
    const recovery = this.#recovery(error);
    const waitsByTime = recovery !== undefined || this.#isOverload(error);
    if (verdict(error) === "fail") throw error;
    if (!waitsByTime && this.attempt >= policy.attempts) throw error;
    const delayMs = policy.delayMs(this.attempt);
    const resumesMs = Date.now() + delayMs;
    if (resumesMs - this.#sinceMs > policy.maxElapsedMs) throw error;
    if (deadlineMs !== undefined && resumesMs >= deadlineMs) throw error;
    if (!waitsByTime && !policy.budget.take()) throw error;
    const elapsedMs = Date.now() - this.#sinceMs;
    const event = { rpc, attempt: this.attempt, delayMs, error, elapsedMs, recovery };
    tell(() => policy.hooks?.onRetry?.(event));
    this.attempt++;
    await delay(delayMs, { signal });
  }

  /** A server that sheds load has done nothing: its calls wait and cost no budget. */
  #isOverload(error: unknown): boolean {
    return !this.#policy.limitsAll && error instanceof BTrDBError &&
      error.code === ErrorCode.ResourceDepleted;
  }

  /**
   * State of a recovery that is waited for as long as the time allows, whatever the number of
   * tries.
   */
  #recovery(error: unknown): Recovery | undefined {
    if (this.#policy.limitsAll || verdict(error) !== "resync") return undefined;
    const health = this.call.health?.();
    const isRecovering = health !== undefined && !health.healthy;
    if (!isRecovering && this.call.isWrite !== true) return undefined;
    return health ?? { healthy: false, unmapped: 0 };
  }
}
