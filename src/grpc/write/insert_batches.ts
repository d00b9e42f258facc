/**
 * Sends inserts of several streams that are pending at once in one message, where the server takes it
 * (docs/protocol.md, "Inserts of several streams"). A call costs client and server more than storing
 * a second of a stream does.
 *
 * @module
 */

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BTrDBError } from "../../core/errors.ts";
import { nextTurn } from "../../core/event_loop.ts";
import { uuidText } from "../../core/uuid.ts";
import {
  InsertManyParamsSchema,
  InsertManyResponseSchema,
  type InsertOutcome,
} from "../../gen/btrdb_deno_pb.ts";
import type { Caller, CallSpec } from "../call/caller.ts";
import { checkStat, markUnsent, transportError, wasUnsent, wrongAnswer } from "../errors.ts";

/** Path of the call on servers that have it. */
const PATH = "/btrdbdeno.Batches/InsertMany";

/** Inserts that go together have at most so many bytes; larger ones go alone. */
const BATCH_BYTES = 512 << 10;

/** Most inserts that go together; servers take 4,096. */
const BATCH_INSERTS = 512;

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
  #bytes = 0;

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
    if (this.#bytes + message.length > BATCH_BYTES) this.flush();
    if (message.length > BATCH_BYTES) return this.#alone({ spec, message, points, attempt });
    return new Promise((resolve, reject) => {
      this.#pending.push({ spec, message, points, attempt, resolve, reject });
      this.#bytes += message.length;
      if (this.#pending.length === 1) void nextTurn().then(() => this.flush());
      else if (this.#pending.length === BATCH_INSERTS) this.flush();
    });
  }

  /** Sends what is pending. */
  flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    this.#bytes = 0;
    for (let from = 0, to = 1; from < pending.length; from = to++) {
      while (to < pending.length && goTogether(pending[from]!, pending[to]!)) to++;
      void this.#sendAll(pending.slice(from, to));
    }
  }

  async #sendAll(inserts: readonly Pending[]): Promise<void> {
    if (inserts.length === 1) return this.#sendAlone(inserts[0]!);
    let outcomes: Outcomes;
    try {
      outcomes = await this.#sendTogether(inserts);
    } catch (error) {
      if (isUnknownCall(error)) {
        // The server is another one now. It has done nothing.
        this.#isSupported = false;
        for (const insert of inserts) this.#sendAlone(insert);
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
      const { stat, outcomes: list } = fromBinary(InsertManyResponseSchema, bytes);
      checkStat(stat, spec);
      if (list.length === inserts.length) return { list, peer };
      throw wrongAnswer(`it has ${list.length} outcomes of ${inserts.length} inserts`, spec);
    };
    const attempt = Math.max(...inserts.map(({ attempt }) => attempt));
    const points = inserts.reduce((sum, { points }) => sum + points, 0);
    const message = toBinary(InsertManyParamsSchema, params);
    return await this.#caller.once(spec, message, decode, attempt, points);
  }

  #sendAlone(insert: Pending): void {
    this.#alone(insert).then(insert.resolve, insert.reject);
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
  const { code, status, retryable } = error;
  const own = new BTrDBError(error.message, {
    ...{ code, status, retryable, rpc, cause: error },
    ...(uuid === undefined ? {} : { uuid: uuidText(uuid) }),
  });
  if (wasUnsent(error)) markUnsent(own);
  return own;
}
