/**
 * Files into streams: what a file says, and nothing else.
 *
 * @example A folder of files into one database
 * ```ts no-eval
 * import { connect } from "@btrdb/btrdb";
 * import { importFile } from "@btrdb/btrdb/ingest";
 * import { readdir } from "node:fs/promises";
 *
 * await using db = await connect("file:grid.btrdb");
 * for (const name of (await readdir("incoming")).sort()) {
 *   const { points, first, last } = await importFile(db, `incoming/${name}`, { into: "plant" });
 *   console.log(name, points, first, last);
 * }
 * ```
 *
 * @module
 */

export {
  type ImportedStream,
  importFile,
  type ImportSummary,
  storedBefore,
} from "./import_file.ts";
export { ImportError, type ImportFault } from "./errors.ts";
export type { ImportInput } from "./bytes.ts";
export { stateFolder } from "./record.ts";
export { openSource } from "./open_source.ts";
export type {
  BadPolicy,
  ColumnMeta,
  ImportOptions,
  ImportProgress,
  SourceOptions,
  TargetOptions,
} from "./options.ts";
export type { OmittedColumn, Position, Source, SourceBatch, SourceColumn } from "./source.ts";
