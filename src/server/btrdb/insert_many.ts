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
import { concatBytes } from "../../core/bytes.ts";
import { giveWay, inSlices } from "../../core/pacer.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import type { Version } from "../../endpoint/endpoint.ts";
import { failureOf } from "../failures.ts";
import type { Exchange } from "../method.ts";
import { insertLimit } from "./insert_in_pieces.ts";
import { atMost, checkCount, decode } from "./request.ts";
import { decodeInsertV5, insertDecoded, versionMessage } from "./writes.ts";

/** Most inserts of a call. */
const MAX_INSERTS = 4_096;

/** Most fields of a call: it has no others than inserts. */
const MAX_INSERT_FIELDS = 100_000;

type Outcome = MessageInitShape<typeof InsertOutcomeSchema>;

/**
 * Points of inserts that wait to be stored, from which on no more are decoded. Those of 4,096 inserts of
 * 255 points are 8 MB of objects, which each collection of garbage would copy; it takes some 2 ms for each
 * of them.
 */
const MAX_WAITING_POINTS = 131_072;

/** The inserts of a message, in its order. */
class Inserts {
  readonly #outcomes: Promise<Outcome>[] = [];
  readonly #points: number[] = [];
  #ended = 0;
  #waitingPoints = 0;

  /** Adds one. Waits for the first ones where too many points wait. */
  async add(outcome: Promise<Outcome>, points: number): Promise<void> {
    this.#outcomes.push(outcome);
    this.#points.push(points);
    this.#waitingPoints += points;
    while (this.#waitingPoints >= MAX_WAITING_POINTS) {
      await this.#outcomes[this.#ended];
      this.#waitingPoints -= this.#points[this.#ended++]!;
    }
  }

  /** All outcomes. */
  end(): Promise<Outcome[]> {
    return Promise.all(this.#outcomes);
  }
}

/**
 * `InsertMany`. Each insert is checked, stored and answered as if it had come alone. They go to the
 * database in the order of the message and without waiting for each other, unless they have very many
 * points, so that it can store them in one transaction. All together have as many points as one may have;
 * those beyond are refused.
 */
export async function insertMany(exchange: Exchange): Promise<void> {
  const { call, endpoint } = exchange;
  const bytes = await call.only();
  const { inserts } = await decode(InsertManyParamsSchema, bytes, {
    most: MAX_INSERT_FIELDS,
    list: atMost(InsertManyParamsSchema.field.inserts, MAX_INSERTS),
    work: "write",
  });
  checkCount(inserts.length, MAX_INSERTS);
  const most = insertLimit(endpoint);
  const outcomes = new Inserts();
  const stored = (version: Version): Outcome => ({ response: versionMessage(version) });
  const refused = (error: unknown): Outcome => failed(exchange, error);
  let points = 0;
  for (const bytes of inserts) {
    let own = 0, outcome: Promise<Outcome>;
    const pause = giveWay("write");
    if (pause !== undefined) await pause;
    call.signal.throwIfAborted();
    try {
      if (points > most) throw tooManyPoints(most);
      const message = await decodeInsertV5(exchange, bytes);
      own = message.columns.times.length;
      points += own;
      if (points > most) throw tooManyPoints(most);
      outcome = insertDecoded(exchange, message, stored, refused);
    } catch (error) {
      outcome = Promise.resolve(refused(error));
    }
    await outcomes.add(outcome, own);
  }
  await call.send(await inSlices(responseInSteps(await outcomes.end()), {}, "write"));
}

/** Outcomes that are encoded in one step, in half a millisecond or so. */
const STEP_OUTCOMES = 128;

/** The response: messages with some of the outcomes, one after another, are one message. */
export function* responseInSteps(
  outcomes: readonly Outcome[],
): Generator<undefined, Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let from = 0; from < outcomes.length; from += STEP_OUTCOMES) {
    const some = outcomes.slice(from, from + STEP_OUTCOMES);
    const part = create(InsertManyResponseSchema, { outcomes: some });
    parts.push(toBinary(InsertManyResponseSchema, part));
    yield;
  }
  return concatBytes(parts);
}

function tooManyPoints(most: number): BTrDBError {
  return new BTrDBError(`the inserts of the message have more than ${most} points`, {
    code: ErrorCode.InsertTooBig,
  });
}

function failed({ call, report }: Exchange, error: unknown): Outcome {
  const failure = failureOf("Insert", error, call.signal);
  if (failure.kind === "status") return { response: failure.message };
  if (failure.unexpected) report(error);
  return { code: failure.code, details: failure.text };
}
