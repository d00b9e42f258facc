/**
 * SQL on the metadata (v5).
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import type { CallOptions, SqlRequest } from "../../endpoint/endpoint.ts";
import { SQLQueryParamsSchema, SQLQueryResponseSchema } from "../../gen/btrdb_v5_pb.ts";
import type { Caller, CallSpec } from "../call/caller.ts";
import { checkStat } from "../errors.ts";
import { decodeMessage } from "../wire/decode_message.ts";

const decoder = new TextDecoder();

/**
 * See `Endpoint.sqlQuery`. Rows come in no certain order, so an answer that breaks after its first
 * rows is an error; one that breaks before them is asked for again.
 */
export async function* sqlQuery(
  caller: Caller,
  { query, params }: SqlRequest,
  options: CallOptions,
): AsyncGenerator<string[], void, undefined> {
  const spec: CallSpec = { rpc: "SQLQuery", anyNode: true, options };
  const init = create(SQLQueryParamsSchema, { query, params: [...params] });
  const message = toBinary(SQLQueryParamsSchema, init);
  let begun = false;
  yield* caller.stream(spec, {
    open: (attempt) => caller.open(spec, message, attempt),
    read(bytes) {
      const { stat, SQLQueryRow } = decodeMessage(SQLQueryResponseSchema, bytes);
      checkStat(stat, spec);
      if (SQLQueryRow.length === 0) return undefined;
      begun = true;
      return SQLQueryRow.map((row) => decoder.decode(row));
    },
    recover(error) {
      if (begun) throw error;
      return false;
    },
  });
}
