/**
 * Subscriptions: points as they are inserted (v5). The call exists in two forms under one name:
 * servers before 5.30 take one request and send points, later ones take updates and send Arrow
 * (docs/protocol.md, "Wire").
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import type { CallOptions, SubscriptionUpdate } from "../../endpoint/endpoint.ts";
import {
  SubscribeParamsSchema,
  SubscribeResponseSchema,
  SubscriptionRespSchema,
  SubscriptionUpdate_Op,
  SubscriptionUpdateSchema,
} from "../../gen/btrdb_v5_pb.ts";
import type { Caller, CallSpec } from "../call/caller.ts";
import { uuidText } from "../../core/uuid.ts";
import { checkStat, decoded, lostPeer, wrongAnswer } from "../errors.ts";
import { checkStream } from "./check_answer.ts";
import { MAX_TIME, MIN_TIME } from "../../core/range.ts";
import { findBadTime } from "../../kernel/find_bad_point.ts";
import { decodeMessage } from "../wire/decode_message.ts";

/** One of the two forms. */
interface Form {
  request(uuids: readonly Uint8Array[]): Uint8Array;
  /** True if the request side stays open. */
  readonly open: boolean;
  /** Loads the decoder of messages; it throws what their `stat` says. */
  decoder(): Promise<(bytes: Uint8Array, spec: CallSpec) => SubscriptionUpdate>;
}

const POINTS: Form = {
  open: false,
  request(uuids) {
    return toBinary(SubscribeParamsSchema, create(SubscribeParamsSchema, { uuid: [...uuids] }));
  },
  decoder: () =>
    Promise.resolve((bytes, spec) => {
      const { stat, uuid, values } = decodeMessage(SubscribeResponseSchema, bytes);
      checkStat(stat, spec);
      const times = BigInt64Array.from(values, (point) => point.time);
      const columns = { times, values: Float64Array.from(values, (point) => point.value) };
      return { uuid: uuid.slice(), columns };
    }),
};

const ARROW: Form = {
  open: true,
  request(uuids) {
    const message = create(SubscriptionUpdateSchema, {
      op: SubscriptionUpdate_Op.ADD_UUIDS,
      uuid: [...uuids],
    });
    return toBinary(SubscriptionUpdateSchema, message);
  },
  async decoder() {
    const { subscribedPoints } = await import("../../arrow/read_ipc.ts");
    return (bytes, spec) => {
      const { stat, uuid, arrowBytes } = decodeMessage(SubscriptionRespSchema, bytes);
      checkStat(stat, spec);
      try {
        return { uuid: uuid.slice(), columns: subscribedPoints(arrowBytes) };
      } catch (error) {
        throw wrongAnswer(`it cannot be decoded: ${(error as Error).message}`, spec);
      }
    };
  },
};

/**
 * See `Endpoint.subscribe`. A subscription that breaks, or that the server ends, ends with an error:
 * what is inserted later would be missing from it.
 *
 * @param arrow True if the server sends Arrow, false for columns in protobuf.
 */
export async function* subscribe(
  caller: Caller,
  uuids: readonly Uint8Array[],
  arrow: boolean,
  options: CallOptions,
): AsyncGenerator<SubscriptionUpdate, void, undefined> {
  const form = arrow ? ARROW : POINTS;
  const spec: CallSpec = { rpc: "Subscribe", uuid: uuids[0], endless: true, options };
  const asked = new Set(uuids.map(uuidText));
  const decode = await form.decoder();
  const call = await caller.open(spec, form.request(uuids), 1, form.open);
  try {
    for (let bytes = await call.read(); bytes !== undefined; bytes = await call.read()) {
      const message = bytes;
      const update = decoded(spec, () => decode(message, spec));
      checkStream(update.uuid, spec, asked.has(uuidText(update.uuid)));
      const { times } = update.columns;
      const bad = findBadTime(times, MIN_TIME, MAX_TIME);
      if (bad >= 0) throw wrongAnswer(`it has a point at ${times[bad]}`, spec);
      call.rpc.recorder.points += times.length;
      yield update;
    }
    throw lostPeer(spec, "the server", "it ended the subscription");
  } finally {
    call.end();
  }
}
