/**
 * Compacts the database file between the other tasks of its writer.
 *
 * @module
 */

import { throwIfOver } from "../../core/call.ts";
import { BTrDBError } from "../../core/errors.ts";
import type { CompactCallOptions, CompactReport } from "../../endpoint/retention.ts";
import type { Database } from "../file/sqlite.ts";
import { isIncremental, rewrite, sizeOf, VacuumSteps } from "../file/vacuum.ts";
import { yieldToEventLoop } from "../../core/pacer.ts";
import type { Task } from "./transaction.ts";

/** Parts of an open database. */
export interface CompactParts {
  readonly db: Database;
  /** Path in messages. */
  readonly path: string;
  /** Queues a task for the writer. */
  submit<T>(task: Task<T>, options: CompactCallOptions): Promise<T>;
  /** Does something while no transaction is under way. */
  betweenTransactions(work: () => void, options: CompactCallOptions): Promise<void>;
}

/** The error of a file that cannot be compacted in steps. */
export function rewriteNeeded(path: string): BTrDBError {
  return new BTrDBError(
    `Cannot compact ${path} in steps: it was made by an earlier release; rewrite it once, with ` +
      `the option rewrite (see docs/retention.md)`,
    { status: "REWRITE_NEEDED" },
  );
}

/**
 * Gives back what nothing uses, step by step; each is a task of its own.
 *
 * @throws {BTrDBError} `REWRITE_NEEDED` if the file was not made for it and may not be written anew.
 */
export async function compact(
  parts: CompactParts,
  options: CompactCallOptions,
): Promise<CompactReport> {
  const { db, path, submit, betweenTransactions } = parts;
  const begin = await submit({ points: 0, kind: "points", run: () => sizeOf(db) }, options);
  if (!isIncremental(db)) {
    if (options.rewrite !== true) throw rewriteNeeded(path);
    await betweenTransactions(() => rewrite(db), options);
  }
  const steps = new VacuumSteps(db);
  let size = sizeOf(db);
  // What is freed meanwhile is left for the next time, or it might never end.
  const end = size.bytes - size.free;
  while (size.free > 0 && size.bytes > end) {
    size = await submit({
      points: 0,
      kind: "points",
      isBackground: true,
      run(tx) {
        tx.afterCommit(() => steps.committed());
        return steps.run();
      },
    }, options);
    options.onProgress?.(size);
    await yieldToEventLoop();
    throwIfOver(options, "compact");
  }
  // The file itself gets smaller when the log has been written to it.
  await betweenTransactions(() => db.exec("PRAGMA wal_checkpoint(PASSIVE)"), options);
  return { before: begin.bytes, after: size.bytes, free: size.free };
}
