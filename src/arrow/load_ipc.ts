/**
 * Loads the Arrow functions of a server when they are first needed.
 *
 * @module
 */

import { yieldToEventLoop } from "../core/pacer.ts";

/** What {@linkcode loadIpc} loads before its result, 1 to 4 ms of CPU time each: the library first. */
const PARTS: readonly (() => Promise<unknown>)[] = [
  () => import("@uwdata/flechette"),
  () => import("./codecs.ts"),
  () => import("./table.ts"),
  () => import("./check_metadata.ts"),
];

let loaded: typeof import("./ipc.ts") | undefined;

/** The Arrow functions, loaded a part in a turn of the event loop, which all at once would hold up. */
export async function loadIpc(): Promise<typeof import("./ipc.ts")> {
  if (loaded !== undefined) return loaded;
  for (const load of PARTS) {
    await yieldToEventLoop();
    await load();
  }
  await yieldToEventLoop();
  loaded = await import("./ipc.ts");
  await yieldToEventLoop();
  return loaded;
}
