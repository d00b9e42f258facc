/**
 * Tasks that wait for a transaction. Callers take turns, and of each caller the first task comes first:
 * a million inserts of one keep nobody else waiting but for the transaction under way.
 *
 * @module
 */

/** A task of a caller. */
export interface Owned {
  /** The caller. */
  readonly owner: unknown;
}

/** Decides on a task whose turn it is: it is taken, its caller waits for a later group, or the group is complete. */
export type Decide<T> = (item: T) => "take" | "later" | "stop";

/** The tasks of one caller. */
class Line<T> {
  readonly owner: unknown;
  /** Those that were taken are let go of. */
  #items: (T | undefined)[] = [];
  #at = 0;

  constructor(owner: unknown) {
    this.owner = owner;
  }

  get size(): number {
    return this.#items.length - this.#at;
  }

  get first(): T {
    return this.#items[this.#at]!;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): void {
    this.#items[this.#at] = undefined;
    if (++this.#at < 1_024 || 2 * this.#at < this.#items.length) return;
    this.#items = this.#items.slice(this.#at);
    this.#at = 0;
  }

  /** Puts items in front of all: in the places of those that were taken, as a million may wait behind them. */
  putBack(items: readonly T[]): void {
    const start = this.#at - items.length;
    if (start < 0) {
      this.#items = [...items, ...this.#items.slice(this.#at)];
      this.#at = 0;
      return;
    }
    for (const [i, item] of items.entries()) this.#items[start + i] = item;
    this.#at = start;
  }
}

/** Tasks by their callers. */
export class TaskQueue<T extends Owned> {
  /** Callers of which tasks wait, the one whose turn it is first. */
  #lines = new Map<unknown, Line<T>>();
  /** The same before the last tasks were taken. */
  #before: readonly Line<T>[] = [];
  #size = 0;

  /** Tasks that wait. */
  get size(): number {
    return this.#size;
  }

  /** Tells whether tasks of another caller wait. */
  hasOthers(owner: unknown): boolean {
    return this.#lines.size > (this.#lines.has(owner) ? 1 : 0);
  }

  /** Adds a task behind those of its caller. */
  add(item: T): void {
    this.#lineOf(item.owner).push(item);
    this.#size++;
  }

  /** Takes tasks, one of each caller after another, for as long as they are taken. */
  takeGroup(decide: Decide<T>): void {
    this.#before = [...this.#lines.values()];
    for (let round = this.#before; round.length > 0;) {
      const next: Line<T>[] = [];
      for (const line of round) {
        const decision = decide(line.first);
        if (decision === "stop") return;
        if (decision === "later") continue;
        this.#shift(line);
        if (line.size > 0) next.push(line);
      }
      round = next;
    }
  }

  /**
   * Puts tasks back that were taken last, but not done. Their callers have their turns where they had them
   * before; those of which others were done, behind all that had to wait for this group.
   *
   * @param items Tasks in their order.
   * @param done Tasks that were taken together with them.
   */
  putBack(items: readonly T[], done: readonly T[]): void {
    const byOwner = new Map<unknown, T[]>();
    for (const item of items) {
      const own = byOwner.get(item.owner);
      if (own === undefined) byOwner.set(item.owner, [item]);
      else own.push(item);
    }
    for (const [owner, own] of byOwner) this.#lineOf(owner).putBack(own);
    this.#size += items.length;
    const served = new Set(done.map(({ owner }) => owner));
    const others = this.#lines;
    this.#lines = new Map();
    for (const { owner } of this.#before) {
      const line = served.has(owner) ? undefined : others.get(owner);
      if (line === undefined) continue;
      this.#lines.set(owner, line);
      others.delete(owner);
    }
    for (const [owner, line] of others) this.#lines.set(owner, line);
  }

  #lineOf(owner: unknown): Line<T> {
    let line = this.#lines.get(owner);
    if (line === undefined) this.#lines.set(owner, line = new Line(owner));
    return line;
  }

  /** Takes the first task of a caller, whose next turn is that behind all others. */
  #shift(line: Line<T>): void {
    const { owner } = line;
    line.shift();
    this.#size--;
    if (line.size > 0 && this.#lines.size === 1) return;
    this.#lines.delete(owner);
    if (line.size > 0) this.#lines.set(owner, line);
  }
}
