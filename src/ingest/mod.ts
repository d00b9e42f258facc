/**
 * Imports files into streams, every number as the file says it.
 *
 * @example The bytes of a table into a database
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { importFile } from "@btrdb/btrdb/ingest";
 *
 * await using db = await connect("memory:");
 * const table = new TextEncoder().encode("time,freq\n2026-03-01T00:00:00Z,59.98\n");
 * const { points, first, last } = await importFile(db, table, { into: "plant" }); // or a path
 * console.log(points, first, last);
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
export { readColumnMeta } from "./column_meta.ts";
export { explain, type ExplainOptions, type Plan, type PlannedColumn } from "./explain.ts";
export { filesIn, type FolderFiles, withoutCompanions } from "./folder.ts";
export { followFile } from "./follow/follow_file.ts";
export type { FollowedFileSummary, FollowOptions, FollowSummary } from "./follow/follow_options.ts";
export { ImportError, type ImportFault } from "./errors.ts";
export type { ImportInput } from "./bytes.ts";
export { stateFolder } from "./import_record.ts";
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
