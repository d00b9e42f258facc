/**
 * The ledger of derived streams: their state, and the lease of the runner that may write, kept as annotations
 * of the first output and changed by compare-and-set only.
 *
 * @module
 */

import type { MetadataValues } from "../client/pairs.ts";
import type { Stream } from "../client/stream.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import type { RequestOptions } from "../core/request_options.ts";
import {
  annotationsOf,
  type Lease,
  LEASE_KEY,
  leaseOf,
  leaseText,
  type LedgerState,
  stateOf,
} from "./ledger_state.ts";

/** Attempts at a change that other changes of annotations keep overtaking. */
const MAX_ATTEMPTS = 20;
/** Time to give the lease back after a failure, ms. */
const RELEASE_MS = 5_000;

/** Options of each request; the time that is left is found anew for each. */
export type Left = () => RequestOptions;

/** The ledger, as one runner sees it. */
export class Ledger {
  readonly #stream: Stream;
  readonly #name: string;
  readonly #owner: string;
  readonly #leaseMs: number;
  readonly #left: Left;
  #annotations: MetadataValues = {};
  #annotationsVersion = 0n;
  #lease: Lease | undefined;

  /**
   * @param stream First output.
   * @param name Name of the definition, for errors.
   * @param owner Name of this runner, that no other one has.
   * @param leaseMs Length of a lease.
   */
  constructor(stream: Stream, name: string, owner: string, leaseMs: number, left: Left) {
    this.#stream = stream;
    this.#name = name;
    this.#owner = owner;
    this.#leaseMs = leaseMs;
    this.#left = left;
  }

  /** The state that was read or written last. */
  get state(): LedgerState | undefined {
    return stateOf(this.#annotations);
  }

  /** The annotations that were read or written last. */
  get annotations(): MetadataValues {
    return this.#annotations;
  }

  /** Reads the annotations. */
  async read(): Promise<LedgerState | undefined> {
    const [annotations, version] = await this.#stream.annotations(this.#left());
    this.#annotations = annotations;
    this.#annotationsVersion = version;
    return this.state;
  }

  /**
   * Takes the lease.
   *
   * @returns The lease of another runner if it has not ended yet; absent if it is ours now.
   */
  async take(): Promise<Lease | undefined> {
    for (let attempt = 1;; attempt++) {
      await this.read();
      const present = leaseOf(this.#annotations);
      const foreign = present !== undefined && present.owner !== this.#owner;
      // The owner stops writing when the lease ends by its own clock, which may be behind this one.
      if (foreign && Date.now() < present.expiresMs + this.#leaseMs / 4) return present;
      const lease = this.#leaseFromNow((present?.epoch ?? 0n) + 1n);
      if (await this.#set({ [LEASE_KEY]: leaseText(lease) })) {
        this.#lease = lease;
        return undefined;
      }
      if (attempt === MAX_ATTEMPTS) throw this.#overtaken();
    }
  }

  /**
   * The options of a write: it ends with the lease, which is made longer when half of it is over.
   *
   * @throws {BTrDBError} `LEASE_LOST` if another runner took it, or it ends each time before it is longer.
   */
  async guard(): Promise<RequestOptions> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      if (this.#msLeft() < this.#leaseMs / 2) await this.#change({});
      const options = this.#left();
      const ms = this.#msLeft();
      if (ms > 0) return { ...options, timeoutMs: Math.min(ms, options.timeoutMs ?? Infinity) };
    }
    throw this.#lost(`its lease of ${this.#leaseMs} ms ends before it is made longer`);
  }

  /** Removes an annotation that is not part of the state. */
  async remove(key: string): Promise<void> {
    await this.#change({ [key]: null });
  }

  /** Writes the state; the lease begins anew. */
  async note(state: LedgerState): Promise<void> {
    await this.#change(annotationsOf(state, this.#annotations));
  }

  /** Writes the state, and gives the lease back, at once. */
  async finish(state: LedgerState): Promise<void> {
    await this.#change({ ...annotationsOf(state, this.#annotations), [LEASE_KEY]: null });
    this.#lease = undefined;
  }

  /** Gives the lease back if it is still ours; failures are left to its end. */
  async release(): Promise<void> {
    const lease = this.#lease;
    if (lease === undefined) return;
    this.#lease = undefined;
    const options = { timeoutMs: RELEASE_MS };
    try {
      const [annotations, expected] = await this.#stream.annotations(options);
      if (annotations[LEASE_KEY] !== leaseText(lease)) return;
      await this.#stream.setAnnotations({ [LEASE_KEY]: null }, { ...options, expected });
    } catch {
      // Nobody is told: what made the run end is the error that counts, and a lease ends by itself.
    }
  }

  /** Changes annotations while the lease is ours; without a word about it, it begins anew. */
  async #change(changes: MetadataValues): Promise<void> {
    for (let attempt = 1;; attempt++) {
      const held = this.#lease;
      if (held === undefined) throw this.#lost();
      const next = this.#leaseFromNow(held.epoch);
      if (await this.#set({ [LEASE_KEY]: leaseText(next), ...changes })) {
        this.#lease = next;
        return;
      }
      // An annotation was changed: another runner took the lease, or it was something else.
      await this.read();
      const present = this.#annotations[LEASE_KEY];
      if (present === leaseText(next)) {
        // The change was made, and only its answer was lost.
        this.#lease = next;
        return;
      }
      if (present !== leaseText(held)) throw this.#lost();
      if (attempt === MAX_ATTEMPTS) throw this.#overtaken();
    }
  }

  /** Sets annotations if they are still as they were read; tells whether they were. */
  async #set(changes: MetadataValues): Promise<boolean> {
    try {
      const options = { ...this.#left(), expected: this.#annotationsVersion };
      this.#annotationsVersion = await this.#stream.setAnnotations(changes, options);
    } catch (error) {
      const overtaken = error instanceof BTrDBError &&
        error.code === ErrorCode.AnnotationVersionMismatch;
      if (overtaken) return false;
      throw error;
    }
    const now: Record<string, string | null> = { ...this.#annotations };
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) delete now[key];
      else now[key] = value;
    }
    this.#annotations = now;
    return true;
  }

  #msLeft(): number {
    return (this.#lease?.expiresMs ?? 0) - Date.now();
  }

  #leaseFromNow(epoch: bigint): Lease {
    return { owner: this.#owner, epoch, expiresMs: Date.now() + this.#leaseMs };
  }

  #lost(why = "another runner has taken the lease"): BTrDBError {
    return new BTrDBError(
      `Cannot run ${JSON.stringify(this.#name)}: ${why}`,
      { status: "LEASE_LOST", uuid: this.#stream.uuid, retryable: true },
    );
  }

  #overtaken(): BTrDBError {
    return new BTrDBError(
      `Cannot run ${JSON.stringify(this.#name)}: the annotations of its first output keep changing`,
      { code: ErrorCode.AnnotationVersionMismatch, uuid: this.#stream.uuid },
    );
  }
}
