/**
 * What a connection knows of its own writes to one stream: enough to find out, after a lost answer,
 * which of them took place (docs/retries.md).
 *
 * @module
 */

import type { InsertRequest, Version } from "../../endpoint/endpoint.ts";
import { type Waiting, within } from "../within.ts";

/** What became of an insert whose answer was lost. */
export type Fate =
  | { kind: "stored"; version: Version }
  | { kind: "not stored" }
  | { kind: "unknown"; why: string; cause?: unknown };

/** An insert whose answer was lost. */
export interface Doubt {
  readonly request: InsertRequest;
  settle(fate: Fate): void;
}

/** What was certain before the inserts in doubt. */
export interface Before {
  /** The stream's version at a moment when no insert of ours was under way. */
  readonly anchor: Version | undefined;
  /** Points that inserts of ours are known to have added since. */
  readonly added: bigint;
}

/** Finds out what became of all inserts in doubt; tells each. Returns the version it saw. */
export type Settler = (
  doubts: readonly Doubt[],
  before: Before,
) => Promise<Version | undefined>;

/** One stream's inserts of this connection, and the turns they take with other writes. */
export class StreamWrites {
  #anchor: Version | undefined;
  #newest: Version | undefined;
  #added = 0n;
  /** Inserts under way whose fate is not in doubt. */
  #flying = 0;
  #doubts: Doubt[] = [];
  #exclusive = false;
  /** Writes of another kind that wait. */
  #loners = 0;
  #waiting: (() => void)[] = [];

  /** Whether nothing is under way. */
  get idle(): boolean {
    return this.#flying === 0 && this.#doubts.length === 0 && !this.#exclusive;
  }

  /**
   * Begins an insert, once nothing stands in its way: a settlement, or a write of another kind, one
   * that waits included.
   *
   * @param call Its signal and deadline end the wait.
   * @param look Asks for the stream's version; called when none is certain.
   */
  async begin(call: Waiting, look: () => Promise<Version>): Promise<void> {
    while (true) {
      while (this.#exclusive || this.#loners > 0 || this.#doubts.length > 0) await this.#turn(call);
      if (this.#anchor !== undefined) break;
      if (this.#flying > 0) {
        await this.#turn(call);
        continue;
      }
      await this.#whileExclusive(async () => this.#anchor = await look());
    }
    this.#flying++;
  }

  /** The insert was stored. */
  stored(points: number, version: Version): void {
    this.#added += BigInt(points);
    if (this.#newest === undefined || isNewer(version, this.#newest)) this.#newest = version;
    this.#land();
  }

  /** The insert was refused, or its caller does not want to know any more. */
  ended(certain: boolean): void {
    if (!certain) this.#anchor = undefined;
    this.#land();
  }

  /** Ends the insert's flight; the last one to land makes its version the anchor. */
  #land(): void {
    this.#flying--;
    if (this.#flying === 0 && this.#doubts.length === 0) {
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
   */
  async doubt(request: InsertRequest, settler: Settler): Promise<Fate> {
    const fate = new Promise<Fate>((settle) => this.#doubts.push({ request, settle }));
    this.#flying--;
    this.#wake();
    if (this.#doubts.length === 1) void this.#settle(settler);
    const settled = await fate;
    if (settled.kind === "not stored") this.#flying++;
    return settled;
  }

  async #settle(settler: Settler): Promise<void> {
    while (this.#flying > 0) await this.#turn();
    const doubts = this.#doubts;
    const before = { anchor: this.#anchor, added: this.#added };
    this.#anchor = await settler(doubts, before);
    this.#newest = undefined;
    this.#added = 0n;
    // Those that were not stored fly again before anybody else begins: see `doubt`.
    await Promise.resolve();
    this.#doubts = [];
    this.#wake();
  }

  /**
   * Runs a write of another kind while no insert is under way. Inserts that have not begun wait for
   * it, so that a stream of them does not keep it waiting for ever.
   *
   * @param call Its signal and deadline end the wait.
   * @param write The write; returns the version after it, `undefined` if that is not certain.
   */
  async alone(
    call: Waiting,
    write: (before: Version | undefined) => Promise<Version | undefined>,
  ): Promise<void> {
    this.#loners++;
    try {
      while (!this.idle) await this.#turn(call);
    } finally {
      this.#loners--;
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
  #turn(call?: Waiting): Promise<void> {
    const changed = new Promise<void>((resolve) => this.#waiting.push(resolve));
    return call === undefined ? changed : within(changed, call);
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
