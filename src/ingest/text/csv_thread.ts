/**
 * Tables of text, read and parsed in a thread of their own while this one stores what came before.
 *
 * @module
 */

import { unpackError } from "../packed_error.ts";
import type { ReadCounter } from "../bytes.ts";
import { csvBatches } from "./csv_batches.ts";
import type { CsvTable } from "./csv_table.ts";
import { noRemarks, type TableRemarks } from "./table_remarks.ts";
import type { BatchOrder, BatchReport } from "./csv_messages.ts";
import type { Position, SourceBatch } from "../source.ts";

/**
 * As {@linkcode csvBatches}: the same batches, the same errors. If no thread can be started, as in
 * a program that was compiled without its module, it works without one.
 */
export async function* csvBatchesFromThread(
  table: CsvTable,
  from: Position,
  counter: ReadCounter,
  remarks: TableRemarks = noRemarks(),
): AsyncGenerator<SourceBatch, void, void> {
  const thread = new Thread();
  try {
    thread.order({ type: "read", table, from });
    let report = await thread.next().catch(() => undefined);
    if (report === undefined) return yield* csvBatches(table, from, counter, undefined, remarks);
    for (; report.type !== "end"; report = await thread.next()) {
      if (report.type === "failure") throw unpackError(report.error);
      counter.bytes = report.bytesRead;
      Object.assign(remarks, report.remarks);
      thread.order({ type: "more" });
      yield report.batch;
    }
    Object.assign(remarks, report.remarks);
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
