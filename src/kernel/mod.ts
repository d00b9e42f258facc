/**
 * The core of BTrDB as functions on plain columns, usable without any database: everything that
 * runs once per point, in WebAssembly.
 *
 * @module
 */

export type { RawColumns, StatColumns } from "../core/columns.ts";
