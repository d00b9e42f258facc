import { assert, assertEquals, assertRejects } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import { concatBytes } from "../../../src/core/bytes.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { LookupStreamsResponseSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { info } from "../../support/grpc/scripted_answers.ts";
import { ScriptedServer, status } from "../../support/grpc/scripted_server.ts";

const none = new Map<string, string>();

/** A message of streams with 33 tags each. */
function answerOf(streams: number): Uint8Array {
  const results = Array.from({ length: streams }, (_, i) => {
    const uuid = new Uint8Array(16);
    new DataView(uuid.buffer).setUint32(0, i + 1);
    const tags = Array.from({ length: 33 }, (_, k) => ({ key: `k${k}`, val: { value: `v${i}` } }));
    return { uuid, collection: "c", tags };
  });
  const message = create(LookupStreamsResponseSchema, { results });
  return toBinary(LookupStreamsResponseSchema, message);
}

async function batchesOf(answer: Uint8Array): Promise<number[]> {
  await using server = await ScriptedServer.start((call) =>
    call.send(call.rpc === "Info" ? info("5.30.0-deno", [], [5, 30]) : answer)
  );
  const endpoint = await connectGrpc({
    addresses: [server.address],
    retry: false,
    protocol: "v5",
  });
  try {
    const request = { collection: "", isCollectionPrefix: true, tags: none, annotations: none };
    const sizes: number[] = [];
    for await (const batch of endpoint.lookupStreams(request)) {
      for (const { tags } of batch) assertEquals(tags.size, 33);
      sizes.push(batch.length);
    }
    return sizes;
  } finally {
    await endpoint.close();
  }
}

// A message of 1,000 streams with 33 tags and annotations each was decoded at once: the program that
// asked did nothing else for 29 to 50 ms.
Deno.test("lookupStreams: a long message is decoded in parts, a short one in one", async () => {
  assertEquals(await batchesOf(answerOf(100)), [100]);
  const long = answerOf(2_000);
  const sizes = await batchesOf(long);
  assertEquals(sizes.reduce((sum, size) => sum + size, 0), 2_000);
  assert(sizes.length >= Math.floor(long.length / (1 << 16)), `${sizes.length} parts`);
});

Deno.test("lookupStreams: nothing of a long message that is damaged is believed", async () => {
  const damaged = concatBytes([answerOf(2_000), Uint8Array.of(18, 100, 0)]);
  const error = await assertRejects(() => batchesOf(damaged), BTrDBError);
  assertEquals(error.status, "DATA_LOSS");
});

// A lookup of more than 16,384 messages that broke at its end began anew, and its own streams were taken
// for messages without content: DATA_LOSS, of a server that had done nothing wrong. It takes 1 GiB of
// streams in long messages, because each of their parts counts.
Deno.test("lookupStreams: what a try repeats is no empty message, whatever its length", async () => {
  const messages = 17_000;
  const streamOf = (i: number) => {
    const uuid = new Uint8Array(16);
    new DataView(uuid.buffer).setUint32(0, i + 1);
    const message = create(LookupStreamsResponseSchema, { results: [{ uuid, collection: "c" }] });
    return toBinary(LookupStreamsResponseSchema, message);
  };
  let lookups = 0;
  await using server = await ScriptedServer.start(async (call) => {
    if (call.rpc === "Info") return call.send(info("5.30.0-deno", [], [5, 30]));
    const isFirst = ++lookups === 1;
    for (let i = 0; i < messages; i++) await call.send(streamOf(i));
    await call.delivered();
    if (isFirst) throw status(14, "restart");
    await call.send(streamOf(messages));
  });
  const endpoint = await connectGrpc({ addresses: [server.address], protocol: "v5" });
  try {
    const request = { collection: "c", isCollectionPrefix: false, tags: none, annotations: none };
    let streams = 0;
    for await (const batch of endpoint.lookupStreams(request)) streams += batch.length;
    assertEquals([streams, lookups], [messages + 1, 2]);
  } finally {
    await endpoint.close();
  }
});

// The other side of it: a try may repeat what came before, and no more than that.
Deno.test("lookupStreams: a try that repeats one stream without an end is DATA_LOSS", async () => {
  let lookups = 0;
  await using server = await ScriptedServer.start(async (call) => {
    if (call.rpc === "Info") return call.send(info("5.30.0-deno", [], [5, 30]));
    const one = answerOf(1);
    await call.send(one);
    await call.delivered();
    if (++lookups === 1) throw status(14, "restart");
    while (!call.signal.aborted) await call.send(one);
  });
  const endpoint = await connectGrpc({ addresses: [server.address], protocol: "v5" });
  try {
    const request = { collection: "c", isCollectionPrefix: false, tags: none, annotations: none };
    const error = await assertRejects(
      () => Array.fromAsync(endpoint.lookupStreams(request)),
      BTrDBError,
      "over 16384 empty messages",
    );
    assertEquals([error.status, lookups], ["DATA_LOSS", 2]);
  } finally {
    await endpoint.close();
  }
});
