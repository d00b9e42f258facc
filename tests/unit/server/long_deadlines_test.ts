import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import http2 from "node:http2";
import { connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { isLong, timeoutMs } from "../../../src/server/transport/long_deadlines.ts";

Deno.test("isLong tells deadlines that no timer reaches", () => {
  for (const timeout of ["600H", "40000M", "2147484S", "99999999H"]) {
    assertEquals([timeout, isLong(timeout)], [timeout, true]);
  }
  for (const timeout of ["500H", "90S", "99999999m", "99999999u", "1n", "0H", "", "H", "9x"]) {
    assertEquals([timeout, isLong(timeout)], [timeout, false]);
  }
});

Deno.test("timeoutMs: reads 1 to 8 digits and a unit, and nothing else", () => {
  assertEquals(timeoutMs("90S"), 90_000);
  assertEquals(timeoutMs("00000001m"), 1);
  for (
    const text of [
      "",
      "S",
      "1",
      "1 S",
      " 1S",
      "1S ",
      "1s",
      "-1S",
      "+1S",
      "1.5S",
      "123456789n",
      "1SS",
    ]
  ) {
    assertEquals([text, timeoutMs(text)], [text, undefined]);
  }
});

/** Status and text of a call of `Info` with more headers. */
async function statusOf(address: string, headers: Record<string, string>): Promise<string[]> {
  const session = http2.connect(`http://${address}`);
  session.on("error", () => {});
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": "/v5api.BTrDB/ListCollections",
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    stream.end(Buffer.alloc(5));
    stream.resume();
    return await new Promise<string[]>((resolve, reject) => {
      const told = (got: Record<string, unknown>) => {
        if (got["grpc-status"] === undefined) return;
        resolve([
          String(got["grpc-status"]),
          decodeURIComponent(String(got["grpc-message"] ?? "")),
        ]);
      };
      stream.on("response", told);
      stream.on("trailers", told);
      stream.on("error", reject);
      stream.on("close", () => reject(new Error("no status")));
    });
  } finally {
    session.destroy();
  }
}

Deno.test("serve: a grpc-timeout that is none is INTERNAL, as the specification's own servers say", async () => {
  await using db = await connect("memory:");
  await using server = await serve(db, { port: 0, hostname: "127.0.0.1" });
  for (const timeout of ["123456789n", "1", "S", "-1S", "1.5S", "1 S", "1s", "10Sx"]) {
    const [code, text] = await statusOf(server.address, { "grpc-timeout": timeout });
    assertEquals([timeout, code], [timeout, "13"]);
    assertStringIncludes(text!, "malformed grpc-timeout");
  }
  for (const timeout of ["99999999H", "10S", "60000m"]) {
    assertEquals((await statusOf(server.address, { "grpc-timeout": timeout }))[0], "0");
  }
});

Deno.test("serve: a key with bytes that no key has is UNAUTHENTICATED, and not repeated", async () => {
  await using db = await connect("memory:");
  const keys = [{ key: "right", capabilities: ["read"] as const }];
  await using server = await serve(db, { port: 0, hostname: "127.0.0.1", apiKeys: keys });
  for (const key of ["\xff\xfe", "sch\xfc\xdf", "\x80secret", "right\xa0", "a\tb"]) {
    const [code, text] = await statusOf(server.address, { authorization: `bearer ${key}` });
    assertEquals([key, code], [key, "16"]);
    assert(!text!.includes("secret"), text);
  }
  assertEquals((await statusOf(server.address, { authorization: "bearer right" }))[0], "0");
});
