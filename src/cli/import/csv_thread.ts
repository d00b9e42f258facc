/**
 * Tables of text, read and parsed in a thread of their own while this one stores what came before.
 *
 * @module
 */

import { unpackError } from "../packed_error.ts";
import type { ReadCounter } from "./bytes.ts";
import type { CsvTable } from "./csv_batches.ts";
import type { BatchOrder, BatchReport } from "./csv_messages.ts";
import type { Position, SourceBatch } from "./source.ts";

/** As `csvBatches`: the same batches, the same errors. */
export async function* csvBatchesFromThread(
  table: CsvTable,
  from: Position,
  counter: ReadCounter,
): AsyncGenerator<SourceBatch, void, void> {
  const thread = new Thread();
  try {
    thread.order({ type: "read", table, from });
    for (;;) {
      const report = await thread.next();
      if (report.type === "failure") throw unpackError(report.error);
      if (report.type !== "batch") return;
      counter.bytes = report.bytesRead;
      thread.order({ type: "more" });
      yield report.batch;
    }
  } finally {
    thread.close();
  }
}

class Thread {
  readonly #worker: Worker;
  readonly #reports: BatchReport[] = [];
  #broken: Error | undefined;
  #wake: (() => void) | undefined;

  constructor() {
    this.#worker = new Worker(new URL("./csv_worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<BatchReport>) => {
      this.#reports.push(data);
      this.#wake?.();
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#broken = new Error(`The thread that reads the table broke: ${event.message}`);
      this.#wake?.();
    };
  }

  order(order: BatchOrder): void {
    this.#worker.postMessage(order);
  }

  async next(): Promise<BatchReport> {
    while (this.#reports.length === 0 && this.#broken === undefined) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const report = this.#reports.shift();
    if (report === undefined) throw this.#broken;
    return report;
  }

  close(): void {
    this.#worker.terminate();
  }
}
