/**
 * Loads the Arrow functions of a server when they are first needed.
 *
 * @module
 */

import { yieldToEventLoop } from "../core/pacer.ts";

let loaded: typeof import("./ipc.ts") | undefined;

/**
 * The Arrow functions. The library takes 3 to 5 ms of CPU time to load, and the modules that use it
 * 2 to 4: each has a turn of the event loop of its own.
 */
export async function loadIpc(): Promise<typeof import("./ipc.ts")> {
  if (loaded !== undefined) return loaded;
  await yieldToEventLoop();
  await import("@uwdata/flechette");
  await yieldToEventLoop();
  loaded = await import("./ipc.ts");
  await yieldToEventLoop();
  return loaded;
}
