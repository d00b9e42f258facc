/**
 * `InsertMany`: inserts of several streams in one call (docs/protocol.md, "Inserts of several
 * streams").
 *
 * @module
 */

import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  InsertManyParamsSchema,
  InsertManyResponseSchema,
  type InsertOutcomeSchema,
} from "../../gen/btrdb_deno_pb.ts";
import { giveWay } from "../../core/pacer.ts";
import type { Version } from "../../endpoint/endpoint.ts";
import { failureOf } from "../failures.ts";
import type { Exchange } from "../method.ts";
import { checkCount, decode } from "./request.ts";
import { decodeInsertV5, insertDecoded, versionMessage } from "./writes.ts";

/** Most inserts of a call. */
const MAX_INSERTS = 4_096;

type Outcome = MessageInitShape<typeof InsertOutcomeSchema>;

/**
 * `InsertMany`. Each insert is checked, stored and answered as if it had come alone. They go to the
 * database in the order of the message and without waiting for each other, so that it can store them
 * in one transaction.
 */
export async function insertMany(exchange: Exchange): Promise<void> {
  const { call } = exchange;
  const { inserts } = decode(InsertManyParamsSchema, await call.only());
  checkCount(inserts.length, MAX_INSERTS);
  const outcomes: Promise<Outcome>[] = [];
  for (const bytes of inserts) {
    const pause = giveWay();
    if (pause !== undefined) await pause;
    call.signal.throwIfAborted();
    outcomes.push(...await begin(exchange, bytes));
  }
  const response = create(InsertManyResponseSchema, { outcomes: await Promise.all(outcomes) });
  await call.send(toBinary(InsertManyResponseSchema, response));
}

/** Decodes and begins an insert; its outcome is in a list, because a promise would be waited for. */
async function begin(exchange: Exchange, bytes: Uint8Array): Promise<[Promise<Outcome>]> {
  try {
    const message = await decodeInsertV5(exchange, bytes);
    return [outcomeOf(exchange, insertDecoded(exchange, message))];
  } catch (error) {
    return [Promise.resolve(failed(exchange, error))];
  }
}

async function outcomeOf(exchange: Exchange, inserted: Promise<Version>): Promise<Outcome> {
  try {
    return { response: versionMessage(await inserted) };
  } catch (error) {
    return failed(exchange, error);
  }
}

function failed({ call, report }: Exchange, error: unknown): Outcome {
  const failure = failureOf("Insert", error, call.signal);
  if (failure.kind === "status") return { response: failure.message };
  if (failure.unexpected) report(error);
  return { code: failure.code, details: failure.text };
}
