/**
 * Priority of a thread.
 *
 * @module
 */

import { getPriority, setPriority } from "node:os";
import process from "node:process";
import { isAllowed } from "../deno_permissions.ts";

/** Steps between the priority of the main thread and that of readers. */
const STEPS = 10;

/** Least priority there is. */
const LEAST = 19;

/**
 * Lets the main thread go before the one that calls this, where they want the same core: long reads
 * would keep small calls and writes waiting for some ms each. Works on Linux, where threads have
 * priorities of their own, and needs system permissions in Deno.
 */
export function lowerThreadPriority(): void {
  if (process.platform !== "linux" || !isAllowed("sys")) return;
  try {
    setPriority(Math.min(LEAST, getPriority() + STEPS));
  } catch {
    // It works all the same.
  }
}
