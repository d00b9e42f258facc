/**
 * The worker of {@linkcode csvBatchesFromThread}.
 *
 * @module
 */

import { packError } from "../packed_error.ts";
import { csvBatches } from "./csv_batches.ts";
import type { CsvTable } from "./csv_table.ts";
import { noRemarks } from "./table_remarks.ts";
import type { BatchOrder, BatchReport } from "./csv_messages.ts";
import type { Position, SourceBatch } from "../source.ts";

const port = globalThis as unknown as {
  onmessage: (event: MessageEvent<BatchOrder>) => void;
  postMessage(report: BatchReport, transfer?: Transferable[]): void;
};

/** Batches that may still be sent; at first, one to be stored and one to be ready then. */
let credit = 2;
let wake: (() => void) | undefined;

async function send(table: CsvTable, from: Position): Promise<void> {
  const counter = { bytes: 0 };
  const remarks = noRemarks();
  for await (const batch of csvBatches(table, from, counter, undefined, remarks)) {
    while (credit === 0) await new Promise<void>((resolve) => wake = resolve);
    credit--;
    port.postMessage({ type: "batch", batch, bytesRead: counter.bytes, remarks }, buffersOf(batch));
  }
  port.postMessage({ type: "end", remarks });
}

function buffersOf({ columns }: SourceBatch): ArrayBuffer[] {
  const all = columns.flatMap(({ times, values }) =>
    [times.buffer, values.buffer] as ArrayBuffer[]
  );
  // Columns may share their times.
  return [...new Set(all)];
}

port.onmessage = ({ data: order }) => {
  if (order.type === "read") {
    send(order.table, order.from).catch((error) => {
      port.postMessage({ type: "failure", error: packError(error) });
    });
    return;
  }
  credit++;
  wake?.();
};
