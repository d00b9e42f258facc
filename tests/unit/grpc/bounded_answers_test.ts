/** Answers that are more than they look: the objects that come of them are bounded. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import type { RawColumns } from "../../../src/core/columns.ts";
import { lastPoint, type RangeReader } from "../../../src/grpc/quirks/range_search.ts";
import { info } from "../../support/grpc/scripted_answers.ts";
import { ScriptedServer } from "../../support/grpc/scripted_server.ts";

const uuid = new Uint8Array(16).fill(4);
const none = new Map<string, string>();

async function drain(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source);
}

/** A message of as many fields of no bytes. */
function fieldsOf(tag: number, fields: number): Uint8Array {
  return Uint8Array.from({ length: 2 * fields }, (_, i) => i % 2 === 0 ? tag : 0);
}

/** Tags of the wire: number of the field times 8, and the type of a part with a length. */
const PARTS:
  readonly (readonly [string, string, number, (endpoint: Endpoint) => Promise<unknown>])[] = [
    [
      "lookupStreams: streams",
      "5.30.0-deno",
      18,
      (endpoint) =>
        drain(
          endpoint.lookupStreams({
            collection: "",
            isCollectionPrefix: true,
            tags: none,
            annotations: none,
          }),
        ),
    ],
    [
      "changes: ranges",
      "4.15.9-deno",
      34,
      (endpoint) => drain(endpoint.changes({ uuid, from: 1n, to: 11n, resolution: 0 })),
    ],
    [
      "sqlQuery: rows",
      "5.30.0-deno",
      18,
      (endpoint) => drain(endpoint.sqlQuery({ query: "select 1", params: [] })),
    ],
    ["metadataUsage: keys", "5.30.0-deno", 18, (endpoint) => endpoint.metadataUsage("")],
    ["subscribe: points", "5.28.0-deno", 26, (endpoint) => drain(endpoint.subscribe([uuid]))],
    ["flush: fields that do not exist", "5.30.0-deno", 122, (endpoint) => endpoint.flush(uuid)],
  ];

for (const [name, build, tag, ask] of PARTS) {
  // A message of 64 MiB may consist of 32 million parts of two bytes. As objects they took 1 KB each, and the
  // process ended for want of memory, after it had been deaf to its deadlines for minutes.
  Deno.test(`${name} of two bytes are not decoded if they are more than 524,288 in a message`, async () => {
    const answer = fieldsOf(tag, (1 << 19) + 1);
    const [major, minor] = build.split(".").map(Number);
    await using server = await ScriptedServer.start((call) =>
      call.send(call.rpc === "Info" ? info(build, [], [major!, minor!]) : answer)
    );
    const protocol = major === 4 ? "v4" : "v5";
    const endpoint = await connectGrpc({ addresses: [server.address], retry: false, protocol });
    try {
      const error = await assertRejects(() => ask(endpoint), BTrDBError);
      assertEquals([error.status, error.retryable], ["DATA_LOSS", false], error.message);
      assertStringIncludes(error.message, "it has over 524288 fields");
    } finally {
      await endpoint.close();
    }
  });
}

// A list of addresses of 64 MiB was cut into 32 million, each was parsed, and all were to be connected to.
Deno.test("connectGrpc: an answer to Info of more than 256 KiB is DATA_LOSS", async () => {
  const answer = info("4.15.9-deno", [{ grpcEndpoints: "a;".repeat(1 << 17) }]);
  await using server = await ScriptedServer.start((call) => call.send(answer));
  const error = await assertRejects(
    () => connectGrpc({ addresses: [server.address], retry: false, protocol: "v4" }),
    BTrDBError,
  );
  assertStringIncludes(error.message, `it has ${answer.length} bytes`);
});

// The points of a narrow range were kept until all of them were there, however many had the same time.
Deno.test("lastPoint: the points of a narrow range are looked at part by part", async () => {
  const columns: RawColumns = { times: new BigInt64Array(2), values: new Float64Array(2) };
  const version = { major: 11n, minor: 0n };
  const reader: RangeReader = {
    collectAligned: () => Promise.reject(new Error("the range is narrow")),
    async *raw() {
      for (let i = 1; i <= 3; i++) {
        columns.times.fill(BigInt(10 + Math.min(i, 2)));
        columns.values.fill(i);
        yield { version, columns };
        columns.times.fill(0n);
      }
    },
  };
  const found = await lastPoint(reader, { uuid, start: 0n, end: 100n, version: 11n }, {});
  assertEquals(found, { version, value: { time: 12n, value: 3 } });
});
