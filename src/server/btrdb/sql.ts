/**
 * `SQLQuery`: read-only SQL on the metadata (docs/protocol.md, "Protocol v5"), with bounds on rows
 * and time.
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { SQLQueryParamsSchema, SQLQueryResponseSchema } from "../../gen/btrdb_v5_pb.ts";
import type { Exchange } from "../method.ts";
import { decode, FEW_FIELDS } from "./request.ts";

/** Rows that a message carries, and bytes of them from which on it takes no more. */
const BATCH_ROWS = 1_000;
const BATCH_BYTES = 1 << 18;

/** `SQLQuery`. */
export async function sqlQuery(exchange: Exchange): Promise<void> {
  const { call, endpoint, settings, options } = exchange;
  const { query, params } = await decode(SQLQueryParamsSchema, await call.only(), {
    most: FEW_FIELDS,
  });
  const limitMs = settings.sqlTimeoutMs;
  // Turns go by keys, where there are keys, else by connections.
  const rows = endpoint.sqlQuery({ query, params }, { ...options, limitMs });
  let held: Uint8Array[] = [];
  let bytes = 0;
  let count = 0;
  let sent = 0;
  const flush = () => {
    const response = create(SQLQueryResponseSchema, { SQLQueryRow: held });
    held = [];
    bytes = 0;
    sent++;
    return call.send(toBinary(SQLQueryResponseSchema, response));
  };
  try {
    for await (const batch of rows) {
      for (const row of batch) {
        if (++count > settings.maxSqlRows) throw tooManyRows(settings.maxSqlRows);
        bytes += held[held.push(encoder.encode(row)) - 1]!.length;
        if (held.length === BATCH_ROWS || bytes >= BATCH_BYTES) await flush();
      }
    }
  } catch (error) {
    const late = error instanceof BTrDBError && error.status === "DEADLINE_EXCEEDED";
    const isOurs = Date.now() < (call.deadlineMs ?? Infinity);
    throw late && isOurs ? tooSlow(limitMs) : error;
  }
  if (sent === 0 || held.length > 0) await flush();
}

const encoder = new TextEncoder();

function tooManyRows(most: number): BTrDBError {
  return new BTrDBError(`the query answers more than ${most} rows, add a LIMIT`, {
    code: ErrorCode.BadSQLValue,
  });
}

function tooSlow(ms: number): BTrDBError {
  return new BTrDBError(`the query takes more than ${ms} ms`, { code: ErrorCode.ContextError });
}
