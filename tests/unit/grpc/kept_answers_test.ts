/** Answers without an end: what the client keeps of them is bounded. */

import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { LATEST } from "../../../src/core/range.ts";
import { ListCollectionsResponseSchema } from "../../../src/gen/btrdb_v4_pb.ts";
import { ChangesSource } from "../../../src/grpc/read/changes_source.ts";
import { KeptMemory, SeenStreams } from "../../../src/grpc/read/kept_memory.ts";
import { bytes, info } from "../../support/grpc/scripted_answers.ts";
import { withScript } from "../../support/grpc/scripted_client.ts";

const uuid = new Uint8Array(16).fill(4);

async function drain(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source);
}

// A v5 server gives its names in any order, so all of them are kept to be sorted. One that never came to
// an end filled the memory of the process until it was killed.
Deno.test("listCollections: names without an end are DATA_LOSS at 256 MiB", async () => {
  const letters = "x".repeat(30 << 20);
  await withScript(async (call) => {
    if (call.rpc === "Info") return await call.send(info("5.30.0-deno", [], [5, 30]));
    for (let i = 0; !call.signal.aborted && i < 20; i++) {
      await call.send(bytes(ListCollectionsResponseSchema, { collections: [`${i}${letters}`] }));
    }
  }, async (endpoint) => {
    const error = await assertRejects(
      () => drain(endpoint.listCollections({ prefix: "" })),
      BTrDBError,
    );
    assertEquals([error.status, error.rpc], ["DATA_LOSS", "ListCollections"]);
    assertStringIncludes(error.message, "it has over 268435456 bytes to be kept");
  });
});

Deno.test("KeptMemory: short texts count with the memory that each takes", () => {
  const kept = new KeptMemory({ rpc: "LookupStreams" }, 300);
  kept.add("a", null, "bc");
  const error = assertThrows(() => kept.add("d", "e"), BTrDBError, "over 300 bytes");
  assertEquals(error.status, "DATA_LOSS");
});

// The uuids of a lookup were all kept, so that none comes twice. Without a bound, a server that invents
// streams filled the memory of the process.
Deno.test("SeenStreams: as many as fit are given once, and then it is said that they may come again", () => {
  const seen = new SeenStreams(2);
  const names = [1, 2, 1, 3, 3, 2].map((first) => uuid.with(0, first));
  assertEquals(names.map((name) => seen.add(name)), [true, true, false, true, true, false]);
  assertEquals(seen.isOver, true);
  const enough = new SeenStreams(2);
  assertEquals([names[0]!, names[1]!].map((name) => enough.add(name)), [true, true]);
  assertEquals(enough.isOver, false);
});

const someRanges = (n: number) => ({
  starts: BigInt64Array.from({ length: n }, (_, i) => 2n * BigInt(i)),
  ends: BigInt64Array.from({ length: n }, (_, i) => 2n * BigInt(i) + 1n),
});

// All ranges were kept for the case that the connection breaks and another version has to be asked for.
Deno.test("ChangesSource: the latest version's ranges are kept up to a bound, and cannot be resumed beyond it", () => {
  const request = { uuid, from: 1n, to: LATEST, resolution: 0 };
  for (const [room, isResumed] of [[118, true], [117, false]] as const) {
    const source = new ChangesSource(request, room);
    source.request(LATEST);
    source.take(someRanges(86));
    source.request(LATEST);
    source.take(someRanges(86));
    if (isResumed) {
      source.request(11n);
      assertEquals(source.take(someRanges(87)).starts, BigInt64Array.of(172n));
    } else {
      const error = assertThrows(() => source.request(11n), BTrDBError, "too many ranges");
      assertEquals([error.status, error.retryable], ["ABORTED", true]);
    }
  }
});

Deno.test("ChangesSource: of a named version nothing is kept, so any number can be resumed", () => {
  const source = new ChangesSource({ uuid, from: 1n, to: 11n, resolution: 0 }, 0);
  source.request(11n);
  source.take(someRanges(100));
  source.request(11n);
  assertEquals(source.take(someRanges(101)).starts, BigInt64Array.of(200n));
});
