/**
 * Finds the derived streams of a database.
 *
 * @module
 */

import { checkDatabase } from "../client/check_database.ts";
import type { BTrDB } from "../client/btrdb.ts";
import type { Stream } from "../client/stream.ts";
import { checkOptions, type RequestOptions } from "../core/request_options.ts";
import { statusOf } from "./distil_status.ts";
import type { DistilStatus } from "./distil_status.ts";
import { leaseOf, NAME_KEY, stateOf } from "./ledger_state.ts";

/** Derived streams that a database has. */
export interface KnownDistillate extends Omit<DistilStatus, "state" | "inputs"> {
  /** First output, which has the notes. */
  stream: Stream;
  /** Inputs of the last run. */
  inputs: { name: string; uuid: string; done: bigint }[];
}

/**
 * Lists the derived streams of a database by the notes that runs left, without their definitions.
 *
 * @example After a run
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { distil, listDistillates } from "@btrdb/btrdb/distil";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * await db.create(crypto.randomUUID(), "demo", { tags: { name: "a" } });
 * const copy = { name: "copy", version: "7", inputs: { a: "demo/a" }, outputs: { b: "demo/b" } };
 * await distil(db, { ...copy, compute: ({ inputs: { a } }) => ({ b: a }) }).run();
 * const [known] = await Array.fromAsync(listDistillates(db));
 * assertEquals([known?.name, known?.version], ["copy", "7"]);
 * ```
 */
export async function* listDistillates(
  db: BTrDB,
  options: RequestOptions = {},
): AsyncGenerator<KnownDistillate, void, void> {
  const annotations = { [NAME_KEY]: null };
  checkDatabase("list distillates", db);
  checkOptions("list distillates", options);
  const found = db.lookupStreams("", { ...options, isCollectionPrefix: true, annotations });
  for await (const stream of found) {
    const [present] = await stream.cachedAnnotations(options);
    const { state: _, inputs, ...rest } = statusOf(
      present[NAME_KEY] ?? "",
      stateOf(present),
      leaseOf(present),
      undefined,
      "behind",
    );
    yield {
      ...rest,
      stream,
      inputs: inputs.map(({ name, uuid, done }) => ({ name, uuid, done })),
    };
  }
}
