/** Paths of gRPC requests that name no method (docs/security.md). */

import { connect } from "node:http2";
import type { OutgoingHttpHeaders } from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { assert, assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { MetadataUsageParamsSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import { serve } from "../../../src/server/mod.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { HANG_MS } from "../../support/until.ts";

const INFO = "/v5api.BTrDB/Info";

/** The gRPC status with which a request of HTTP/2 ends; `reset` without one. */
async function statusOf(address: string, headers: OutgoingHttpHeaders): Promise<string> {
  const session = connect(`http://${address}`);
  session.on("error", () => {});
  const closed = new Promise<void>((resolve) => session.once("close", resolve));
  const status = await new Promise<string>((resolve) => {
    const stream = session.request(headers);
    stream.on("error", () => {});
    stream.on("response", (answer) => resolve(String(answer["grpc-status"] ?? answer[":status"])));
    stream.on("close", () => resolve("reset"));
    stream.end();
  });
  session.destroy();
  await closed;
  return status;
}

// A path with a letter beyond ASCII was taken off its request as if it were metadata, and CONNECT has
// none: what looked for the method then threw where nobody caught it. One request of a client without
// a key ended the whole server.
Deno.test("serve: requests whose path is not plain, or missing, are refused, and the server goes on", async () => {
  await using engine = await openEngine();
  const apiKeys = [{ key: "k", capabilities: ["read"] as const }];
  await using server = await serve(engine, { port: 0, hostname: "127.0.0.1", apiKeys });
  using client = new RawClient(server.address);
  for (const path of ["/x/é", "/v5api.BTrDB/é", "/v5api.BTrDB/Info\u007f", "/x/😀"]) {
    const { code } = await client.call(path, new Uint8Array(0));
    assert(code !== 0, `${path}: ${code}`);
    assertEquals((await client.call(INFO, new Uint8Array(0))).code, 0, path);
  }
  const grpc = { "content-type": "application/grpc", te: "trailers" };
  const host = { ":method": "CONNECT", ":authority": "x:1" };
  assertEquals(await statusOf(server.address, { ...host, ...grpc }), "12");
  await statusOf(server.address, host);
  assertEquals((await client.call(INFO, new Uint8Array(0))).code, 0);
});

// The whole path came back, 50,000 characters of it.
Deno.test("serve: errors repeat 100 characters of the name of a method or service", async () => {
  await using engine = await openEngine();
  await using server = await serve(engine, { port: 0, hostname: "127.0.0.1" });
  using client = new RawClient(server.address);
  const long = "y".repeat(50_000);
  for (const path of [`/${long}`, `/${long}/x`, `/v5api.BTrDB/${long}`]) {
    const { code, details } = await client.call(path, new Uint8Array(0));
    assertEquals([code, details.includes("y".repeat(90)), details.length < 200], [12, true, true]);
  }
});

// A name in quotes was cut within a character behind a quote of its own. The library cannot encode half
// of one: the call had no answer and no end.
Deno.test("serve: errors with half a character in them are answered", async () => {
  await using engine = await openEngine();
  const apiKeys = [{ key: "k", capabilities: ["read"] as const, collectionPrefixes: ["a/"] }];
  await using server = await serve(engine, { port: 0, hostname: "127.0.0.1", apiKeys });
  using client = new RawClient(server.address);
  const prefix = `"${"x".repeat(98)}😀`;
  const request = create(MetadataUsageParamsSchema, { prefix });
  const options = { headers: { authorization: "bearer k" }, deadlineMs: Date.now() + HANG_MS };
  const bytes = toBinary(MetadataUsageParamsSchema, request);
  const { code, details } = await client.call("/v5api.BTrDB/GetMetadataUsage", bytes, options);
  assertEquals([code, details.isWellFormed(), details.includes("x".repeat(98))], [7, true, true]);
});
