/**
 * Encodes leaves of large inserts in a thread, while the database's thread encodes others and
 * writes them.
 *
 * The writer never waits for the thread: a leaf that is not there when it is to be written is made
 * then. So it does not matter how fast the thread is, whether there is one, and how it ends.
 *
 * @module
 */

import { Worker } from "node:worker_threads";
import type { RawColumns } from "../../core/columns.ts";
import { yieldToEventLoop } from "../../core/pacer.ts";
import { mayLoad } from "../deno_permissions.ts";
import type { ReadyLeaf, ReadyLeaves } from "../tree/ready_leaves.ts";
import { DESK_POINTS, PackingDesk } from "./packing_desk.ts";

/** Points of an insert, below which it is not worth a message. */
export const PACKING_POINTS = 65_536;

/** Points of such inserts after which the thread is started, which takes some hundredths of a second. */
const START_POINTS = 524_288;

/** Inserts that the thread has at a time: the one that is being written, and the next. */
const DESKS = 2;

/** A thread that makes leaves, for all databases of this process. It does not keep the program alive. */
export class LeafPacker {
  readonly #start: () => Worker | undefined;
  #worker: Worker | undefined;
  #hasFailed = false;
  /** Points of inserts before there was a thread. */
  #points = 0;
  /** Inserts that wait for a desk, in the order in which they are written. */
  readonly #waiting = new Set<Packing>();
  readonly #inUse = new Set<PackingDesk>();
  /** All desks. Those that are not in use make way for whatever else needs memory. */
  #desks: WeakRef<PackingDesk>[] = [];

  /** @param start Starts the thread; for tests. */
  constructor(start: () => Worker | undefined = startThread) {
    this.#start = start;
  }

  /**
   * Has leaves made of the points of an insert.
   *
   * @param points In the order of time, or nothing is made of them; must stay as they are until the
   *   end.
   * @returns `undefined` if they are few or very many, or there is no thread.
   */
  begin(points: RawColumns): ReadyLeaves | undefined {
    const n = points.times.length;
    if (n < PACKING_POINTS || n > DESK_POINTS || !this.#isStarted(n)) return undefined;
    const packing = new Packing(points, (desk) => {
      this.#waiting.delete(packing);
      if (desk !== undefined) this.#clear(desk);
    });
    this.#waiting.add(packing);
    this.#supply();
    return packing;
  }

  /** Ends the thread. From here on all leaves are made by the writer. */
  async end(): Promise<void> {
    this.#fail();
    await this.#worker?.terminate();
  }

  #isStarted(points: number): boolean {
    if (this.#hasFailed) return false;
    if (this.#worker !== undefined) return true;
    this.#points += points;
    if (this.#points < START_POINTS) return false;
    try {
      this.#worker = this.#start();
    } catch {
      // It could not be started.
    }
    if (this.#worker === undefined) this.#fail();
    else {
      this.#worker.unref();
      this.#worker.on("error", () => this.#fail()).on("exit", () => this.#fail());
    }
    return !this.#hasFailed;
  }

  #fail(): void {
    this.#hasFailed = true;
    this.#waiting.clear();
    this.#desks = [];
  }

  /** Lays the points of waiting inserts on desks that are free. */
  #supply(): void {
    for (const packing of this.#waiting) {
      const desk = this.#freeDesk();
      if (desk === undefined) return;
      this.#waiting.delete(packing);
      this.#inUse.add(desk);
      this.#lay(packing, desk);
    }
  }

  /** Lays the points of an insert on a desk, if it goes on long enough, and has leaves made of them. */
  async #lay(packing: Packing, desk: PackingDesk): Promise<void> {
    try {
      for (const _ of desk.lay(packing.points)) {
        await yieldToEventLoop("write");
        if (packing.isEnded || this.#hasFailed) break;
      }
      if (packing.isEnded || this.#hasFailed) return this.#clear(desk);
      this.#worker!.postMessage(desk.memory);
      packing.desk = desk;
    } catch {
      // The points are not there any more, as the writer finds too, or the thread cannot be reached: the
      // writer makes the leaves.
      this.#clear(desk);
    }
  }

  /** Has the next points laid on a desk. */
  #clear(desk: PackingDesk): void {
    desk.clear();
    this.#inUse.delete(desk);
    this.#supply();
  }

  #freeDesk(): PackingDesk | undefined {
    this.#desks = this.#desks.filter((ref) => ref.deref() !== undefined);
    for (const ref of this.#desks) {
      const desk = ref.deref();
      if (desk?.isFree && !this.#inUse.has(desk)) return desk;
    }
    if (this.#desks.length >= DESKS) return undefined;
    try {
      const desk = new PackingDesk();
      this.#desks.push(new WeakRef(desk));
      return desk;
    } catch {
      // There is no memory for it: the writer makes the leaves.
      return undefined;
    }
  }
}

/** An insert under way. */
class Packing implements ReadyLeaves {
  readonly points: RawColumns;
  readonly #ended: (desk: PackingDesk | undefined) => void;
  /** Desk with its points, once they are on one. */
  desk: PackingDesk | undefined;
  /** True when all is written, or given up. */
  isEnded = false;

  constructor(points: RawColumns, ended: (desk: PackingDesk | undefined) => void) {
    this.points = points;
    this.#ended = ended;
  }

  leaf(points: RawColumns, from: number, to: number): ReadyLeaf | undefined {
    const { desk } = this;
    const first = this.#indexOf(points);
    if (desk === undefined || first === undefined) return undefined;
    desk.pass(first + to);
    const leaf = desk.find(first + from, first + to);
    // Nobody may change them, but a tree with points elsewhere than it says would be damaged.
    const isSame = leaf !== undefined && desk.timeOf(first + from) === points.times[from] &&
      desk.timeOf(first + to - 1) === points.times[to - 1];
    return isSame ? leaf : undefined;
  }

  /** Index of the first of these points among those of the insert; `undefined` if they are others. */
  #indexOf({ times, values }: RawColumns): number | undefined {
    const all = this.points;
    if (times.buffer !== all.times.buffer || values.buffer !== all.values.buffer) return undefined;
    const first = (times.byteOffset - all.times.byteOffset) / 8;
    const isPart = first >= 0 && first + times.length <= all.times.length &&
      first === (values.byteOffset - all.values.byteOffset) / 8;
    return isPart ? first : undefined;
  }

  end(): void {
    const { desk } = this;
    this.isEnded = true;
    this.desk = undefined;
    this.#ended(desk);
  }
}

function startThread(): Worker | undefined {
  const module = new URL("./packing_worker.ts", import.meta.url);
  return mayLoad(module) ? new Worker(module) : undefined;
}
