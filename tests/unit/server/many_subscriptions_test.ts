/** Subscriptions of thousands of streams, whose callers add and remove them as they like. */

import { Buffer } from "node:buffer";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import { assertEquals } from "@std/assert";
import { uuidText } from "../../../src/core/uuid.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import * as pb from "../../../src/gen/btrdb_v5_pb.ts";
import { serve, type ServeOptions } from "../../../src/server/mod.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { override } from "../../support/override_endpoint.ts";
import { until } from "../../support/until.ts";

const { ADD_UUIDS, REMOVE_UUIDS } = pb.SubscriptionUpdate_Op;

function uuids(from: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const uuid = new Uint8Array(16);
    new DataView(uuid.buffer).setUint32(0, from + i);
    return uuid;
  });
}

/** A subscription that is changed by updates. */
class Subscriber {
  readonly #stream;
  readonly names: string[] = [];
  code = 0;

  constructor(client: RawClient) {
    this.#stream = client.client.makeBidiStreamRequest<Uint8Array, Uint8Array>(
      "/v5api.BTrDB/Subscribe",
      (bytes) => Buffer.from(bytes),
      (bytes) => bytes,
      new Metadata(),
    );
    this.#stream.on("data", (bytes: Uint8Array) => {
      const { stat, uuid } = fromBinary(pb.SubscriptionRespSchema, bytes);
      this.code = stat?.code ?? 0;
      if (this.code === 0) this.names.push(uuidText(new Uint8Array(uuid)));
    });
    this.#stream.on("error", () => {});
  }

  update(op: pb.SubscriptionUpdate_Op, uuid: Uint8Array[]): void {
    const message = create(pb.SubscriptionUpdateSchema, { op, uuid });
    this.#stream.write(toBinary(pb.SubscriptionUpdateSchema, message));
  }

  cancel(): void {
    this.#stream.cancel();
  }
}

/** A server, a count of the streams of each subscription at its database, and of those that ended. */
async function withServer(
  options: ServeOptions,
  use: (
    client: RawClient,
    counts: { begun: number[]; ended: number },
    insert: (uuid: Uint8Array) => Promise<unknown>,
  ) => Promise<void>,
): Promise<void> {
  await using engine = await openEngine();
  const counts = { begun: [] as number[], ended: 0 };
  const endpoint = override(engine, {
    subscribe: (uuids, options) => {
      counts.begun.push(uuids.length);
      options?.signal?.addEventListener("abort", () => counts.ended++);
      return engine.subscribe(uuids, options);
    },
  });
  await using server = await serve(endpoint, { port: 0, hostname: "127.0.0.1", ...options });
  using client = new RawClient(server.address);
  let time = 0n;
  for (const [i, uuid] of uuids(0, 3).entries()) {
    await engine.create({ uuid, collection: `c${i}`, tags: new Map(), annotations: new Map() });
  }
  await use(client, counts, (uuid) => {
    const columns = { times: BigInt64Array.of(time++), values: Float64Array.of(1) };
    return engine.insert({ uuid, columns });
  });
}

// Each had a subscription of its own: 10,000 took 24 MB, and held up all others for 300 ms.
Deno.test("Subscribe: streams that are added together are one subscription, until all are removed", () =>
  withServer({}, async (client, counts, insert) => {
    const subscriber = new Subscriber(client);
    const [a, b, c] = uuids(0, 3) as [Uint8Array, Uint8Array, Uint8Array];
    subscriber.update(ADD_UUIDS, uuids(0, 10_000));
    await until("they are there", () => counts.begun.length === 40);
    assertEquals(counts.begun, [...new Array(39).fill(256), 16]);
    const arrives = async (uuid: Uint8Array) => {
      const { length } = subscriber.names;
      await until("a point arrives", async () => {
        await insert(uuid);
        return subscriber.names.length > length;
      });
      assertEquals(new Set(subscriber.names.slice(length)), new Set([uuidText(uuid)]));
    };
    await arrives(a);
    subscriber.update(REMOVE_UUIDS, [a, ...uuids(256, 256)]);
    await until("one has ended", () => counts.ended === 1);
    await insert(a);
    await insert(b);
    const of = (uuid: Uint8Array) => subscriber.names.filter((name) => name === uuidText(uuid));
    await until("a point arrives", () => of(b).length === 1);
    const before = of(a).length;
    subscriber.update(ADD_UUIDS, [a, b]);
    await until("it is there", () => counts.begun.length === 41);
    assertEquals(counts.begun.at(-1), 1);
    // Once, though the subscription that it was in before has it still.
    await insert(a);
    await insert(c);
    await until("points arrive", () => of(a).length > before && of(c).length === 1);
    assertEquals([of(a).length, of(b).length, of(c).length], [before + 1, 1, 1]);
    subscriber.cancel();
    await until("all have ended", () => counts.ended === 41);
  }));

Deno.test("Subscribe: streams of which others are left are bounded", () =>
  withServer({ limits: { streamsPerCall: 100 } }, async (client, counts) => {
    const subscriber = new Subscriber(client);
    for (let i = 0; i < 5; i++) {
      subscriber.update(ADD_UUIDS, uuids(100 * i, 90));
      subscriber.update(REMOVE_UUIDS, uuids(100 * i + 1, 89));
    }
    await until("it is refused", () => subscriber.code === 421);
    assertEquals(counts.begun.length, 4);
    const other = new Subscriber(client);
    for (let i = 0; i < 10; i++) {
      other.update(ADD_UUIDS, uuids(100 * i, 100));
      other.update(REMOVE_UUIDS, uuids(100 * i, 100));
    }
    await until("all are there", () => counts.begun.length === 14);
    assertEquals(other.code, 0);
    other.cancel();
  }));
