/**
 * Loads the Arrow functions when they are first needed.
 *
 * @module
 */

import { yieldToEventLoop } from "../../core/pacer.ts";

/** Modules that are loaded one after another before the functions, the Arrow library with the first. */
const PARTS: readonly (() => Promise<unknown>)[] = [
  () => import("../../arrow/schema_layout.ts"),
  () => import("../../arrow/codecs.ts"),
  () => import("../../arrow/table.ts"),
  () => import("../../arrow/check_metadata.ts"),
];

type ArrowFunctions =
  & typeof import("../../arrow/write_ipc.ts")
  & typeof import("../../arrow/read_ipc_in_slices.ts");

let loaded: ArrowFunctions | undefined;

/** The Arrow functions. Each part, of 1 to 4 ms of CPU time, has a turn of the event loop of its own. */
export async function loadArrow(): Promise<ArrowFunctions> {
  if (loaded !== undefined) return loaded;
  for (const load of PARTS) {
    await yieldToEventLoop();
    await load();
  }
  await yieldToEventLoop();
  const writing = await import("../../arrow/write_ipc.ts");
  const reading = await import("../../arrow/read_ipc_in_slices.ts");
  loaded ??= { ...writing, ...reading };
  await yieldToEventLoop();
  return loaded;
}
