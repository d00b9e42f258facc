/** Tables that are parsed in a thread of their own: the same batches as without one. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { openBytes } from "../../../src/ingest/bytes.ts";
import { csvBatches } from "../../../src/ingest/text/csv_batches.ts";
import type { CsvTable } from "../../../src/ingest/text/csv_table.ts";
import { csvBatchesFromThread } from "../../../src/ingest/text/csv_thread.ts";
import { detectLayout } from "../../../src/ingest/text/detect_layout.ts";
import { type SourceBatch, START } from "../../../src/ingest/source.ts";
import { withFolder } from "../../support/run.ts";

/** Rows of local times with a cell missing here and there, in more than two batches. */
const ROWS = 500_000;

function text(last = ""): string {
  const rows = Array.from({ length: ROWS }, (_, i) => {
    const time = new Date(1_700_000_000_000 + i * 1000).toISOString().slice(0, 19);
    return `${time},${i % 7 === 0 ? "" : i / 4},${i}\n`;
  });
  return `time,a,b\n${rows.join("")}${last}`;
}

async function tableOf(path: string, content: string): Promise<CsvTable> {
  await Deno.writeTextFile(path, content);
  const wishes = { columns: [], skipLines: 0, tz: "Europe/Berlin" };
  const head = content.slice(0, content.lastIndexOf("\n", 10_000) + 1);
  const { layout } = detectLayout(head, wishes);
  return { bytes: await openBytes(path), layout };
}

Deno.test("csvBatchesFromThread: the same batches and positions, from any of them on", async () => {
  await withFolder(async (folder) => {
    const table = await tableOf(`${folder}/a.csv`, text());
    const whole: SourceBatch[] = await Array.fromAsync(csvBatches(table, START, { bytes: 0 }));
    assert(whole.length >= 2, `${whole.length} batches`);
    for (const from of [START, ...whole.map(({ next }) => next)]) {
      const counter = { bytes: 0 };
      const batches = await Array.fromAsync(csvBatchesFromThread(table, from, counter));
      assertEquals(batches, await Array.fromAsync(csvBatches(table, from, { bytes: 0 })));
      if (batches.length > 0) assertEquals(counter.bytes, table.bytes.size);
    }
  });
});

Deno.test("csvBatchesFromThread: errors are those without a thread, and who stops early leaves nothing behind", async () => {
  await withFolder(async (folder) => {
    const table = await tableOf(`${folder}/a.csv`, text("2024-01-01T00:00:00,oops,1\n"));
    const errors = await Promise.all(
      [csvBatchesFromThread, csvBatches].map((read) =>
        assertRejects(() => Array.fromAsync(read(table, START, { bytes: 0 }))) as Promise<Error>
      ),
    );
    assertEquals(errors[0]!.name, "CsvError");
    assertEquals(errors[0]!.message, errors[1]!.message);
    for await (const { next } of csvBatchesFromThread(table, START, { bytes: 0 })) {
      assert(next.rows > 0);
      break;
    }
  });
});

Deno.test("csvBatchesFromThread: without a thread that starts the batches come all the same", async () => {
  const own = globalThis.Worker;
  globalThis.Worker = class extends own {
    constructor() {
      super(new URL("./there_is_no_such_worker.ts", import.meta.url), { type: "module" });
    }
  };
  try {
    await withFolder(async (folder) => {
      const table = await tableOf(`${folder}/a.csv`, text());
      let rows = 0;
      for await (const { next } of csvBatchesFromThread(table, START, { bytes: 0 })) {
        rows = next.rows;
      }
      assertEquals(rows, ROWS);
    });
  } finally {
    globalThis.Worker = own;
  }
});
