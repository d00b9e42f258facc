/**
 * Subscriptions: points as they are inserted (v5). The call exists in two forms under one name:
 * servers before 5.30 take one request and send points, later ones take updates and send Arrow
 * (docs/protocol.md, "Wire").
 *
 * @module
 */

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { CallOptions, SubscriptionUpdate } from "../../endpoint/endpoint.ts";
import {
  SubscribeParamsSchema,
  SubscribeResponseSchema,
  SubscriptionRespSchema,
  SubscriptionUpdate_Op,
  SubscriptionUpdateSchema,
} from "../../gen/btrdb_v5_pb.ts";
import type { Caller, CallSpec } from "../call/caller.ts";
import { checkStat, decoded } from "../errors.ts";

/** One of the two forms. */
interface Form {
  request(uuids: readonly Uint8Array[]): Uint8Array;
  /** True if the request side stays open. */
  readonly open: boolean;
  decode(bytes: Uint8Array, spec: CallSpec): Promise<SubscriptionUpdate>;
}

const POINTS: Form = {
  open: false,
  request(uuids) {
    return toBinary(SubscribeParamsSchema, create(SubscribeParamsSchema, { uuid: [...uuids] }));
  },
  decode(bytes, spec) {
    const { stat, uuid, values } = fromBinary(SubscribeResponseSchema, bytes);
    checkStat(stat, spec);
    const times = BigInt64Array.from(values, (point) => point.time);
    const columns = { times, values: Float64Array.from(values, (point) => point.value) };
    return Promise.resolve({ uuid: uuid.slice(), columns });
  },
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
  async decode(bytes, spec) {
    const { stat, uuid, arrowBytes } = fromBinary(SubscriptionRespSchema, bytes);
    checkStat(stat, spec);
    const { ipcToRaw } = await import("../../arrow/ipc.ts");
    return { uuid: uuid.slice(), columns: ipcToRaw(arrowBytes) };
  },
};

/**
 * See `Endpoint.subscribe`. A broken subscription ends with an error: what was inserted meanwhile
 * would be missing from it.
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
  const call = await caller.open(spec, form.request(uuids), 1, form.open);
  try {
    for (let bytes = await call.read(); bytes !== undefined; bytes = await call.read()) {
      const message = bytes;
      const update = await decoded(spec, () => form.decode(message, spec));
      call.rpc.recorder.points += update.columns.times.length;
      yield update;
    }
  } finally {
    call.end();
  }
}
