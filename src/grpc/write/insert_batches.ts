/**
 * Sends inserts of several streams that are pending at once in one message, where the server takes it
 * (docs/protocol.md, "Inserts of several streams"). A call costs client and server more than storing
 * a second of a stream does.
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { abortable } from "../../core/call.ts";
import { BTrDBError } from "../../core/errors.ts";
import { nextTurn } from "../../core/event_loop.ts";
import { uuidText } from "../../core/uuid.ts";
import {
  InsertManyParamsSchema,
  InsertManyResponseSchema,
  type InsertOutcome,
} from "../../gen/btrdb_deno_pb.ts";
import type { Caller, CallSpec } from "../call/caller.ts";
import { checkStat, copyReach, lateError, transportError, wrongAnswer } from "../errors.ts";
import { decodeMessage } from "../wire/decode_message.ts";

/** Path of the call on servers that have it. */
const PATH = "/btrdbdeno.Batches/InsertMany";

/** Inserts that go together have at most so many bytes; larger ones go alone. */
const BATCH_BYTES = 512 << 10;

/** Most inserts that go together; servers take 4,096. */
const BATCH_INSERTS = 512;

/** While so many bytes are under way no more are sent. */
const UNDER_WAY_BYTES = 1 << 20;

/** An insert that is about to be sent. */
interface Pending {
  readonly spec: CallSpec;
  readonly message: Uint8Array;
  readonly points: number;
  readonly attempt: number;
  resolve(response: Uint8Array): void;
  reject(error: unknown): void;
}

/** Inserts of one connection on their way out. */
export class InsertBatches {
  readonly #caller: Caller;
  #isSupported: boolean;
  #pending: Pending[] = [];
  /** Bytes that are pending, and that are under way. */
  #bytes = 0;
  #underWay = 0;

  /**
   * @param caller Makes the calls.
   * @param isSupported True if the server takes inserts together.
   */
  constructor(caller: Caller, isSupported: boolean) {
    this.#caller = caller;
    this.#isSupported = isSupported;
  }

  /**
   * Sends an insert once, with those that come in the same turn of the event loop and have the same
   * signal and deadline.
   *
   * @param message Its `InsertParams`.
   * @param points Number of its points.
   * @param attempt Number of the try, from 1.
   * @returns The bytes of its own `InsertResponse`.
   * @throws Its own error; that of the whole call, if it failed as a whole.
   */
  send(
    spec: CallSpec,
    message: Uint8Array,
    points: number,
    attempt: number,
  ): Promise<Uint8Array> {
    if (!this.#isSupported) return this.#alone({ spec, message, points, attempt });
    const response = new Promise<Uint8Array>((resolve, reject) => {
      this.#pending.push({ spec, message, points, attempt, resolve, reject });
      this.#bytes += message.length;
      if (this.#pending.length === 1) void nextTurn().then(() => this.#sendNext());
      else if (this.#bytes >= BATCH_BYTES) this.#sendNext();
    });
    // It may wait for others; what is over by then is refused when it is sent.
    return abortable(response, spec.options, () => lateError(spec));
  }

  /** Sends all that is pending. */
  flush(): void {
    while (this.#pending.length > 0) void this.#sendGroup();
  }

  /**
   * Sends what is pending, as long as few bytes are under way: messages on one connection arrive
   * together, and a server that is busy would wait long for the end of each.
   */
  #sendNext(): void {
    while (this.#pending.length > 0 && this.#underWay < UNDER_WAY_BYTES) void this.#sendGroup();
  }

  /** Sends the first inserts that may go together, and more when they are answered. */
  async #sendGroup(): Promise<void> {
    const [first] = this.#pending as [Pending];
    let count = 1, bytes = first.message.length;
    for (; count < Math.min(BATCH_INSERTS, this.#pending.length); count++) {
      const next = this.#pending[count]!;
      if (!goTogether(first, next) || bytes + next.message.length > BATCH_BYTES) break;
      bytes += next.message.length;
    }
    const group = this.#pending.splice(0, count);
    this.#bytes -= bytes;
    this.#underWay += bytes;
    await this.#sendAll(group);
    this.#underWay -= bytes;
    this.#sendNext();
  }

  async #sendAll(inserts: readonly Pending[]): Promise<void> {
    if (inserts.length === 1) return await this.#sendAlone(inserts[0]!);
    let outcomes: Outcomes;
    try {
      outcomes = await this.#sendTogether(inserts);
    } catch (error) {
      if (isUnknownCall(error)) {
        // The server is another one now. It has done nothing.
        this.#isSupported = false;
        await Promise.all(inserts.map((insert) => this.#sendAlone(insert)));
      } else for (const { spec, reject } of inserts) reject(ownError(error, spec));
      return;
    }
    inserts.forEach(({ spec, resolve, reject }, i) => {
      const { code, details, response } = outcomes.list[i]!;
      if (code === 0) resolve(response);
      else reject(transportError({ code, details }, spec, outcomes.peer));
    });
  }

  async #sendTogether(inserts: readonly Pending[]): Promise<Outcomes> {
    const { options } = inserts[0]!.spec;
    const spec: CallSpec = { rpc: "Insert", path: PATH, options, isWrite: true };
    const params = create(InsertManyParamsSchema, {
      inserts: inserts.map(({ message }) => message as Uint8Array<ArrayBuffer>),
    });
    const decode = (bytes: Uint8Array, peer: string): Outcomes => {
      const { stat, outcomes: list } = decodeMessage(InsertManyResponseSchema, bytes);
      checkStat(stat, spec);
      if (list.length === inserts.length) return { list, peer };
      throw wrongAnswer(`it has ${list.length} outcomes of ${inserts.length} inserts`, spec);
    };
    const attempt = Math.max(...inserts.map(({ attempt }) => attempt));
    const points = inserts.reduce((sum, { points }) => sum + points, 0);
    const message = toBinary(InsertManyParamsSchema, params);
    return await this.#caller.once(spec, message, decode, attempt, points);
  }

  #sendAlone(insert: Pending): Promise<void> {
    return this.#alone(insert).then(insert.resolve, insert.reject);
  }

  #alone(
    { spec, message, points, attempt }: Omit<Pending, "resolve" | "reject">,
  ): Promise<Uint8Array> {
    return this.#caller.once(spec, message, (bytes) => bytes, attempt, points);
  }
}

/** Outcomes of the inserts of a call, and the server that told them. */
interface Outcomes {
  readonly list: readonly InsertOutcome[];
  readonly peer: string;
}

function goTogether({ spec: { options: a } }: Pending, { spec: { options: b } }: Pending): boolean {
  return a.signal === b.signal && a.deadlineMs === b.deadlineMs;
}

function isUnknownCall(error: unknown): boolean {
  return error instanceof BTrDBError && error.code === 0 && error.status === "UNIMPLEMENTED";
}

/** The error of a whole call for one of its inserts. */
function ownError(error: unknown, { rpc, uuid }: CallSpec): unknown {
  if (!(error instanceof BTrDBError)) return error;
  const own = new BTrDBError(error.message, {
    ...error,
    ...{ rpc, uuid: uuid && uuidText(uuid), cause: error },
  });
  copyReach(own, error);
  return own;
}
