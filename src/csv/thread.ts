/**
 * Rows of BTrDB's CSV made in a thread of its own, while this one gets the next points.
 *
 * @module
 */

import { movable } from "../core/movable.ts";
import type { CsvOrder, CsvReport, CsvSupply } from "./messages.ts";
import type { CsvLayout } from "../kernel/csv_writer.ts";

/** Whole rows. */
export interface CsvPiece {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Rows of this piece and those before it. */
  readonly rows: number;
}

/**
 * A {@linkcode CsvWriter} in a worker. It says with `wanted` for which streams it takes more; what
 * it gets through `supply` belongs to it. `next` gives pieces, a few of which wait ready.
 */
export class CsvThread {
  readonly #worker: Worker;
  /** For each stream how many supplies it has beyond the one that is being written. */
  readonly #ahead: number[];
  readonly #ended: boolean[];
  readonly #pieces: (CsvPiece | undefined)[] = [];
  #failure: { error: unknown } | undefined;
  #isReady = false;
  #isClosed = false;
  #wakeSupplier: (() => void) | undefined;
  #wakeTaker: (() => void) | undefined;

  private constructor(layout: CsvLayout) {
    this.#ahead = new Array<number>(layout.streams).fill(0);
    this.#ended = new Array<boolean>(layout.streams).fill(false);
    this.#worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<CsvReport>) => this.#hear(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.fail(new Error(`The thread that writes CSV broke: ${event.message}`));
    };
    this.#order({ type: "layout", layout });
  }

  /** Starts a thread; undefined where there are none. */
  static start(layout: CsvLayout): CsvThread | undefined {
    if (typeof Worker === "undefined") return undefined;
    try {
      return new CsvThread(layout);
    } catch {
      return undefined;
    }
  }

  /** True if it can be given something to do. One that could not be started never is. */
  get isReady(): boolean {
    return this.#isReady && this.#failure === undefined;
  }

  /** The streams that can get a supply, at least one; none when all have ended. */
  async wanted(): Promise<readonly number[]> {
    while (!this.#isOver && this.#ended.includes(false)) {
      const wanted = [...this.#ahead.keys()].filter((s) => !this.#ended[s] && this.#ahead[s] === 0);
      if (wanted.length > 0) return wanted;
      await new Promise<void>((resolve) => this.#wakeSupplier = resolve);
    }
    return [];
  }

  /** Hands over the next columns of some streams. The columns belong to the thread afterwards. */
  supply(supplies: readonly CsvSupply[]): void {
    if (this.#isOver) return;
    const own: ArrayBuffer[] = [];
    const moved = supplies.map(({ stream, columns }) => {
      this.#ahead[stream]!++;
      if (columns === undefined) this.#ended[stream] = true;
      return { stream, columns: columns && movable(columns, own) };
    });
    this.#order({ type: "points", supplies: moved }, own);
  }

  /**
   * The next piece, which is to be given back.
   *
   * @returns undefined at the end.
   * @throws What {@linkcode CsvThread.fail} was told, or what broke in the thread.
   */
  async next(): Promise<CsvPiece | undefined> {
    while (this.#pieces.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => this.#wakeTaker = resolve);
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#pieces.shift();
  }

  /** Gives the memory of a piece back: it is used again. */
  giveBack({ bytes: { buffer } }: CsvPiece): void {
    if (!this.#isOver) this.#order({ type: "memory", buffer }, [buffer]);
  }

  /** No more points can be had: `next` throws `error`. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  /** Ends the thread, whatever it is doing. */
  close(): void {
    this.#isClosed = true;
    this.#worker.terminate();
    this.#wake();
  }

  get #isOver(): boolean {
    return this.#isClosed || this.#failure !== undefined;
  }

  #order(order: CsvOrder, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(order, transfer);
  }

  #hear(report: CsvReport): void {
    switch (report.type) {
      case "ready":
        this.#isReady = true;
        break;
      case "piece":
        this.#pieces.push({
          bytes: new Uint8Array(report.buffer, 0, report.length),
          rows: report.rows,
        });
        break;
      case "taken":
        for (const s of report.streams) this.#ahead[s]!--;
        break;
      case "end":
        this.#pieces.push(undefined);
        break;
      case "failure":
        this.fail(report.error);
        break;
    }
    this.#wake();
  }

  #wake(): void {
    this.#wakeSupplier?.();
    this.#wakeTaker?.();
    this.#wakeSupplier = undefined;
    this.#wakeTaker = undefined;
  }
}
