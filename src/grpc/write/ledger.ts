/**
 * Records the writes of a connection to one stream: enough to find out, after a lost answer,
 * which of them took place (docs/retries.md).
 *
 * @module
 */

import { abortable } from "../../core/call.ts";
import type { InsertRequest, Version } from "../../endpoint/endpoint.ts";
import { type CallContext, lateError } from "../errors.ts";

/** Outcome of an insert whose answer was lost. */
export type Outcome =
  | { kind: "stored"; version: Version }
  | { kind: "not stored" }
  | { kind: "unknown"; why: string; cause?: unknown };

/** An insert whose answer was lost. */
export interface UncertainInsert {
  readonly request: InsertRequest;
  /** True if the server says that it was not stored; nobody has to be sure. */
  readonly isRefused: boolean;
  settle(fate: Outcome): void;
}

/** Version and points that were certain before the uncertain inserts. */
export interface Before {
  /** The stream's version at a moment when no insert of ours was under way. */
  readonly anchor: Version | undefined;
  /** Points that inserts of ours are known to have added since. */
  readonly added: bigint;
}

/** Finds out what became of all inserts in doubt; tells each. Returns the version it saw. */
export type Settler = (
  doubts: readonly UncertainInsert[],
  before: Before,
) => Promise<Version | undefined>;

/** One stream's inserts of this connection, and the turns they take with other writes. */
export class WriteLedger {
  #anchor: Version | undefined;
  #newest: Version | undefined;
  #added = 0n;
  /** Inserts under way whose fate is not in doubt. */
  #inFlight = 0;
  #uncertain: UncertainInsert[] = [];
  #exclusive = false;
  /** Writes of another kind that wait. */
  #exclusiveWaiting = 0;
  #waiting: (() => void)[] = [];

  /** True if nothing is under way. */
  get idle(): boolean {
    return this.#inFlight === 0 && this.#uncertain.length === 0 && !this.#exclusive;
  }

  /**
   * Begins an insert, once nothing stands in its way: a settlement, or a write of another kind, one
   * that waits included.
   *
   * @param call Its signal and deadline end the wait.
   * @param look Asks for the stream's version; called when none is certain.
   */
  async begin(call: CallContext, look: () => Promise<Version>): Promise<void> {
    while (true) {
      while (this.#exclusive || this.#exclusiveWaiting > 0 || this.#uncertain.length > 0) {
        await this.#changed(call);
      }
      if (this.#anchor !== undefined) break;
      if (this.#inFlight > 0) {
        await this.#changed(call);
        continue;
      }
      await this.#whileExclusive(async () => this.#anchor = await look());
    }
    this.#inFlight++;
  }

  /** The insert was stored. */
  stored(points: number, version: Version): void {
    this.#added += BigInt(points);
    if (this.#newest === undefined || isNewer(version, this.#newest)) this.#newest = version;
    this.#settleOne();
  }

  /** The insert was refused, or its caller does not want to know any more. */
  ended(certain: boolean): void {
    if (!certain) this.#anchor = undefined;
    this.#settleOne();
  }

  /** Ends the insert's flight; the last one to land makes its version the anchor. */
  #settleOne(): void {
    this.#inFlight--;
    if (this.#inFlight === 0 && this.#uncertain.length === 0) {
      if (this.#anchor !== undefined && this.#newest !== undefined) this.#anchor = this.#newest;
      this.#newest = undefined;
      this.#added = 0n;
    }
    this.#wake();
  }

  /**
   * The answer to the insert was lost: waits until all other inserts under way have landed or are
   * in doubt too, and has them settled together. The insert counts as begun again if it was not
   * stored.
   *
   * @param isRefused True if the server says that it was not stored.
   */
  async uncertain(
    request: InsertRequest,
    isRefused: boolean,
    settler: Settler,
  ): Promise<Outcome> {
    const outcome = new Promise<Outcome>((settle) =>
      this.#uncertain.push({ request, isRefused, settle })
    );
    this.#inFlight--;
    this.#wake();
    if (this.#uncertain.length === 1) void this.#settle(settler);
    const settled = await outcome;
    if (settled.kind === "not stored") this.#inFlight++;
    return settled;
  }

  async #settle(settler: Settler): Promise<void> {
    while (this.#inFlight > 0) await this.#changed();
    const doubts = this.#uncertain;
    const before = { anchor: this.#anchor, added: this.#added };
    this.#anchor = await settler(doubts, before);
    this.#newest = undefined;
    this.#added = 0n;
    // Those that were not stored fly again before anybody else begins: see `doubt`.
    await Promise.resolve();
    this.#uncertain = [];
    this.#wake();
  }

  /**
   * Runs a write of another kind while no insert is under way. Inserts that have not begun wait for
   * it, so that a stream of them does not starve it.
   *
   * @param call Its signal and deadline end the wait.
   * @param write The write; returns the version after it, `undefined` if that is not certain.
   */
  async alone(
    call: CallContext,
    write: (before: Version | undefined) => Promise<Version | undefined>,
  ): Promise<void> {
    this.#exclusiveWaiting++;
    try {
      while (!this.idle) await this.#changed(call);
    } finally {
      this.#exclusiveWaiting--;
      this.#wake();
    }
    await this.#whileExclusive(async () => {
      const before = this.#anchor;
      this.#anchor = undefined;
      this.#anchor = await write(before);
    });
  }

  async #whileExclusive(work: () => Promise<unknown>): Promise<void> {
    this.#exclusive = true;
    try {
      await work();
    } finally {
      this.#exclusive = false;
      this.#wake();
    }
  }

  /** Waits until something has changed, or the call is over. */
  #changed(call?: CallContext): Promise<void> {
    const changed = new Promise<void>((resolve) => this.#waiting.push(resolve));
    return call === undefined ? changed : abortable(changed, call.options, () => lateError(call));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

function isNewer(a: Version, b: Version): boolean {
  return a.major > b.major || (a.major === b.major && a.minor > b.minor);
}
