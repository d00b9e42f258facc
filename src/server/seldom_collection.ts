/**
 * Collections of all garbage. If little of it lives long, V8 lowers the size of the heap at which all
 * is collected, by and by, to 8 MB above what is in use, and counts the short-lived arrays of points:
 * a server of live points would collect all of it every second or two, for nothing.
 *
 * @module
 */

import { versions } from "node:process";
import { setFlagsFromString } from "node:v8";

/** Version of V8 from which on the flag is known to be there: one that is not would be reported. */
const FIRST_V8 = 15;

/** Keeps the size at which all garbage is collected as it was after the last time. */
export function collectSeldom(): void {
  try {
    if (!(parseInt(versions.v8 ?? "") >= FIRST_V8)) return;
    setFlagsFromString("--no-scavenger-updates-allocation-limit");
  } catch {
    // Another JavaScript engine, or it may not be asked.
  }
}
