/**
 * The worker of {@linkcode CsvThread}: turns points into pieces of CSV as long as it has both points
 * and memory for pieces.
 *
 * @module
 */

import type { RawColumns, StatColumns } from "../core/columns.ts";
import type { CsvOrder, CsvReport } from "./messages.ts";
import { type CsvLayout, CsvWriter } from "../kernel/csv_writer.ts";

/** Pieces that are filled or being used at a time: one on each side, and one on its way to each. */
const PIECES = 4;

const port = globalThis as unknown as {
  onmessage: (event: MessageEvent<CsvOrder>) => void;
  postMessage(report: CsvReport, transfer?: Transferable[]): void;
};

class Job {
  readonly #writer: CsvWriter;
  /** For each stream what came and is not taken yet; `undefined` is its end. */
  readonly #queues: (RawColumns | StatColumns | undefined)[][];
  readonly #memory: ArrayBuffer[];

  constructor(layout: CsvLayout) {
    this.#writer = new CsvWriter(layout);
    this.#queues = Array.from({ length: layout.streams }, () => []);
    this.#memory = Array.from({ length: PIECES }, () => new ArrayBuffer(0));
  }

  take(order: CsvOrder): void {
    if (order.type === "memory") this.#memory.push(order.buffer);
    else if (order.type === "points") {
      for (const { stream, columns } of order.supplies) this.#queues[stream]!.push(columns);
    }
    while (this.#memory.length > 0) {
      this.#feed();
      if (!this.#fill()) return;
    }
  }

  /** Gives the writer what came for the streams that can take more, and asks for more of it. */
  #feed(): void {
    const streams = this.#writer.hungry().filter((s) => this.#queues[s]!.length > 0);
    for (const s of streams) {
      const columns = this.#queues[s]!.shift();
      if (columns === undefined) this.#writer.close(s);
      else this.#writer.push(s, columns);
    }
    if (streams.length > 0) port.postMessage({ type: "taken", streams });
  }

  /** Makes a piece; returns true if there may be another one. */
  #fill(): boolean {
    const isDone = this.#writer.pour((view) => this.#send(view)) !== undefined;
    if (isDone) return true;
    if (this.#writer.isWaiting) return this.#canFeed();
    port.postMessage({ type: "end" });
    return false;
  }

  #canFeed(): boolean {
    return this.#writer.hungry().some((s) => this.#queues[s]!.length > 0);
  }

  #send(view: Uint8Array): true {
    let buffer = this.#memory.pop()!;
    if (buffer.byteLength < view.length) buffer = new ArrayBuffer(view.length);
    new Uint8Array(buffer).set(view);
    const { length } = view;
    port.postMessage({ type: "piece", buffer, length, rows: this.#writer.rows }, [buffer]);
    return true;
  }
}

let job: Job | undefined;

port.onmessage = ({ data: order }) => {
  try {
    if (order.type !== "layout") return job!.take(order);
    job = new Job(order.layout);
    port.postMessage({ type: "ready" });
  } catch (error) {
    port.postMessage({ type: "failure", error });
  }
};
