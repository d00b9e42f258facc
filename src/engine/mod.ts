/**
 * The embedded engine: a whole BTrDB in one SQLite file or in memory.
 *
 * @module
 */

export { compactFile } from "./compact/compact_file.ts";
export { Engine } from "./engine.ts";
export { openEngine } from "./open_engine.ts";
export type { EngineOptions } from "./options.ts";
export type { VerifyReport } from "./verify/findings.ts";
export { verify } from "./verify/verify.ts";
