/**
 * Messages between a database and its processes and threads of SQL queries.
 *
 * @module
 */

import type { SqlRequest } from "../../endpoint/endpoint.ts";

/** A stream as a runner of a database in memory gets it, columns of the table `stream` in order. */
export type StreamRow = readonly [
  id: number,
  uuid: Uint8Array,
  collection: string,
  tags: string,
  annotations: string,
  propertyVersion: number,
];

/** Task of a process or thread of SQL queries. */
export type SqlOrder =
  | { readonly type: "open"; readonly path: string }
  | { readonly type: "streams"; readonly rows: readonly StreamRow[]; readonly first: boolean }
  | {
    readonly type: "query";
    readonly request: SqlRequest;
    /** When the query stops, ms since the Unix epoch. */
    readonly deadlineMs: number;
  }
  | { readonly type: "close" };

/** Response to a query: some of the rows as JSON, or the parts of an error. */
export type SqlReport =
  | { readonly rows: string[]; readonly isLast: boolean }
  | { readonly message: string; readonly code: number; readonly status: string };

/** Message of a runner that has closed its connection. */
export const CLOSED = "closed";
