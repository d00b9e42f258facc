/**
 * `Subscribe` of v5, in both forms that share its name (docs/protocol.md, "Protocol v5"): one
 * request with uuids, answered with points; or a stream of updates that add and remove uuids,
 * answered with Arrow. The first field of a request tells them apart: a uuid there, an operation
 * here.
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { loadArrow } from "./load_arrow.ts";
import type { RawColumns } from "../../core/columns.ts";
import { giveWay } from "../../core/pacer.ts";
import { uuidKey } from "../../core/uuid.ts";
import { checkUuid } from "../../endpoint/checks.ts";
import type { SubscriptionUpdate as Update } from "../../endpoint/endpoint.ts";
import {
  SubscribeParamsSchema,
  SubscriptionRespSchema,
  SubscriptionUpdate_Op as Op,
  SubscriptionUpdateSchema,
} from "../../gen/btrdb_v5_pb.ts";
import { encodeSubscribeResponse } from "../../kernel/wire.ts";
import type { Exchange } from "../method.ts";
import { BATCH_POINTS } from "../../kernel/answer_pieces.ts";
import { atMost, checkCount, checkStreams, decode, malformed } from "./request.ts";

/**
 * `Subscribe`. It lasts until the client ends it, or until a stream moves to where the caller may
 * not read: each update is allowed anew.
 */
export async function subscribe(exchange: Exchange): Promise<void> {
  const first = await exchange.call.next();
  if (first === undefined) return;
  await (isUpdate(first) ? followUpdates(exchange, first) : followList(exchange, first));
}

/** A uuid without the message that it is a part of, which may be long, and would be kept with it. */
function copied(uuid: Uint8Array): Uint8Array {
  // `slice` of a `Buffer`, which the library hands on, is the same memory.
  return new Uint8Array(uuid);
}

/** Tells whether a first message is an update, whose uuids are in field 2, not 1. */
function isUpdate(message: Uint8Array): boolean {
  try {
    const reader = new BinaryReader(message);
    if (reader.pos === reader.len) return true;
    const [field, type] = reader.tag();
    return field !== 1 || type !== WireType.LengthDelimited;
  } catch (error) {
    throw malformed(error);
  }
}

async function followList(exchange: Exchange, message: Uint8Array): Promise<void> {
  const { call, endpoint, access, settings, owners, options } = exchange;
  const { uuid: uuids } = await decode(SubscribeParamsSchema, message, {
    list: atMost(SubscribeParamsSchema.field.uuid, settings.maxStreamsPerCall),
  });
  await giveWay();
  await checkStreams(uuids, settings.maxStreamsPerCall);
  const streams = uuids.map(copied);
  await access.stream("read", ...streams);
  await giveWay();
  for await (const update of endpoint.subscribe(streams, { ...options, owners })) {
    await access.stream("read", update.uuid);
    exchange.metrics.pointsRead += update.columns.times.length;
    for (const bytes of pointsMessages.of(update)) await call.send(bytes);
  }
}

/**
 * Messages of updates, made once for all subscribers, who get the same columns. They are kept with the
 * columns: as values of a `WeakMap` they would be garbage only when all is collected.
 */
class SharedMessages {
  readonly #make: (update: Update) => Uint8Array[];
  readonly #made = Symbol("messages");

  constructor(make: (update: Update) => Uint8Array[]) {
    this.#make = make;
  }

  of(update: Update): readonly Uint8Array[] {
    const columns = update.columns as RawColumns & Record<symbol, Uint8Array[] | undefined>;
    return columns[this.#made] ??= this.#make(update);
  }
}

const pointsMessages = new SharedMessages(({ uuid, columns }) => {
  const n = columns.times.length;
  const messages = [];
  for (let at = 0; at < n; at += BATCH_POINTS) {
    messages.push(encodeSubscribeResponse(uuid, columns, at, Math.min(n, at + BATCH_POINTS)));
  }
  return messages;
});

/** Streams that are subscribed to together: each subscription takes some KB, and a call at a proxy. */
const BATCH_STREAMS = 256;

/** Streams of batches, removed ones of which others are left included, for each that a call may name. */
const HELD = 4;

/** Streams that are subscribed to together, until the last of them is removed. */
interface Batch {
  left: number;
  readonly size: number;
  readonly stop: AbortController;
}

/** The subscriptions of one call, as its updates have made them. */
class Subscriptions {
  readonly #exchange: Exchange;
  readonly #send: (update: Update) => Promise<void>;
  /** Batches of streams by their keys. */
  readonly #batches = new Map<string, Batch>();
  /** Streams of all batches that were not stopped. */
  #held = 0;
  #isClosed = false;
  #fail!: (error: unknown) => void;
  /** Rejects with what a subscription failed with. */
  readonly failed: Promise<never> = new Promise((_, reject) => this.#fail = reject);
  /** One message after another: updates of several streams must not overtake backpressure. */
  #turn: Promise<void> = Promise.resolve();

  constructor(exchange: Exchange, send: (update: Update) => Promise<void>) {
    this.#exchange = exchange;
    this.#send = send;
    this.failed.catch(() => {});
  }

  /** Adds streams, each once; those that are there already stay as they are. */
  async add(uuids: readonly Uint8Array[]): Promise<void> {
    const { access, settings: { maxStreamsPerCall } } = this.#exchange;
    const fresh = new Map(uuids.map((uuid) => [uuidKey(uuid), copied(uuid)]));
    for (const key of fresh.keys()) if (this.#batches.has(key)) fresh.delete(key);
    checkCount(this.#batches.size + fresh.size, maxStreamsPerCall);
    checkCount(this.#held + fresh.size, HELD * maxStreamsPerCall);
    await access.stream("read", ...fresh.values());
    const all = [...fresh];
    for (let at = 0; at < all.length && !this.#isClosed; at += BATCH_STREAMS) {
      this.#begin(all.slice(at, at + BATCH_STREAMS));
      await giveWay();
    }
  }

  /** Removes streams; unknown ones do not matter. */
  remove(uuids: readonly Uint8Array[]): void {
    this.#exchange.access.release(uuids);
    for (const key of uuids.map(uuidKey)) {
      const batch = this.#batches.get(key);
      this.#batches.delete(key);
      if (batch === undefined || --batch.left > 0) continue;
      batch.stop.abort();
      this.#held -= batch.size;
    }
  }

  /** Ends all of them. */
  close(): void {
    this.#isClosed = true;
    for (const { stop } of new Set(this.#batches.values())) stop.abort();
    this.#batches.clear();
  }

  #begin(streams: readonly (readonly [string, Uint8Array])[]): void {
    const size = streams.length;
    const batch = { left: size, size, stop: new AbortController() };
    for (const [key] of streams) this.#batches.set(key, batch);
    this.#held += size;
    this.#follow(batch, streams.map(([, uuid]) => uuid)).catch(this.#fail);
  }

  async #follow(batch: Batch, uuids: readonly Uint8Array[]): Promise<void> {
    const { access, endpoint, call, owners } = this.#exchange;
    const signal = AbortSignal.any([call.signal, batch.stop.signal]);
    try {
      for await (const update of endpoint.subscribe(uuids, { signal, owners })) {
        const key = uuidKey(update.uuid);
        const isRemoved = () => this.#batches.get(key) !== batch;
        if (isRemoved()) continue;
        await access.stream("read", update.uuid);
        this.#turn = this.#turn.then(() => isRemoved() ? undefined : this.#send(update));
        await this.#turn;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}

let arrowMessages: SharedMessages | undefined;

async function followUpdates(exchange: Exchange, first: Uint8Array): Promise<void> {
  const { call, metrics } = exchange;
  const { rawToIpc } = await loadArrow();
  arrowMessages ??= new SharedMessages(({ uuid, columns }) => {
    const response = create(SubscriptionRespSchema, { uuid, arrowBytes: rawToIpc(columns) });
    return [toBinary(SubscriptionRespSchema, response)];
  });
  const messages = arrowMessages;
  const subscriptions = new Subscriptions(exchange, async (update) => {
    metrics.pointsRead += update.columns.times.length;
    for (const bytes of messages.of(update)) await call.send(bytes);
  });
  const read = async () => {
    for (
      let message: Uint8Array | undefined = first;
      message !== undefined;
      message = await call.next()
    ) {
      const { op, uuid } = await decode(SubscriptionUpdateSchema, message);
      uuid.forEach(checkUuid);
      if (op === Op.REMOVE_UUIDS) subscriptions.remove(uuid);
      else await subscriptions.add(uuid);
    }
  };
  try {
    await Promise.race([read(), subscriptions.failed]);
  } finally {
    subscriptions.close();
  }
}
