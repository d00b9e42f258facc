/**
 * Corrections that search for points, in one part: pages load it only for servers that need it.
 *
 * @module
 */

export { nearestBackward } from "./nearest.ts";
export { completeWindows } from "./windows.ts";
