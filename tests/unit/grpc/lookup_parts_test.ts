import { assert, assertEquals, assertRejects } from "@std/assert";
import { create, toBinary } from "@bufbuild/protobuf";
import { concatBytes } from "../../../src/core/bytes.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { LookupStreamsResponseSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { info } from "../../support/grpc/scripted_answers.ts";
import { ScriptedServer } from "../../support/grpc/scripted_server.ts";

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
