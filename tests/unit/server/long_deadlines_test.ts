import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer } from "node:http";
import http2 from "node:http2";
import { type AddressInfo, connect as connectTcp } from "node:net";
import { connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { parseGrpcTimeout } from "../../../src/core/grpc_timeout.ts";
import { isLong } from "../../../src/server/transport/long_deadlines.ts";

Deno.test("isLong tells deadlines that no timer reaches", () => {
  for (const timeout of ["600H", "40000M", "2147484S", "99999999H"]) {
    assertEquals([timeout, isLong(timeout)], [timeout, true]);
  }
  for (const timeout of ["500H", "90S", "99999999m", "99999999u", "1n", "0H", "", "H", "9x"]) {
    assertEquals([timeout, isLong(timeout)], [timeout, false]);
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

/** Texts that are no `grpc-timeout` by the specification. */
const MALFORMED = [
  "",
  "1",
  "S",
  "H1",
  "-1S",
  "+1S",
  "1.5S",
  "1e3m",
  "0x1S",
  "1 S",
  "1s",
  "1h",
  "1ms",
  "10Sx",
  "1S1S",
  "1S,2S",
  "1S;",
  "123456789n",
  "000000001S",
  "99999999999999999999H",
  "NaNS",
  "InfinityS",
  "\xb9S",
];

/** Texts that are one, and give a call time enough. */
const LEGAL = ["99999999H", "1H", "1M", "00000100S", "60000m", "99999999u", "99999999M"];

/** Timeouts that are over at once. */
const OVER = ["0H", "0S", "0n", "1n", "00000000u"];

Deno.test("serve: a grpc-timeout is read as the specification has it", async () => {
  await using db = await connect("memory:");
  await using server = await serve(db, { port: 0, hostname: "127.0.0.1" });
  for (const timeout of MALFORMED) {
    const [code, text] = await statusOf(server.address, { "grpc-timeout": timeout });
    assertEquals([timeout, code], [timeout, "13"]);
    assertStringIncludes(text!, "malformed grpc-timeout");
  }
  for (const timeout of LEGAL) {
    assertEquals([timeout, (await statusOf(server.address, { "grpc-timeout": timeout }))[0]], [
      timeout,
      "0",
    ]);
  }
  for (const timeout of OVER) {
    const [code] = await statusOf(server.address, { "grpc-timeout": timeout });
    assertEquals([timeout, code], [timeout, "4"]);
  }
});

/** Status of a call over gRPC-Web, its header written as it stands. */
function webStatusOf(port: number, timeout: string): Promise<[code: string, text: string]> {
  const head = [
    "POST /v5api.BTrDB/ListCollections HTTP/1.1",
    `host: 127.0.0.1:${port}`,
    "content-type: application/grpc-web+proto",
    "content-length: 5",
    "connection: close",
    `grpc-timeout:${timeout}`,
  ];
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connectTcp(port, "127.0.0.1", () => {
      socket.write(Buffer.from(`${head.join("\r\n")}\r\n\r\n\0\0\0\0\0`, "latin1"));
    });
    socket.on("data", (bytes) => answer += bytes.toString("latin1"));
    socket.on("error", reject);
    socket.on("close", () => {
      const code = /grpc-status: (\d+)/.exec(answer)?.[1] ?? answer.slice(9, 12);
      resolve([code, decodeURIComponent(/grpc-message: (.*)\r/.exec(answer)?.[1] ?? "")]);
    });
  });
}

Deno.test("serve: a grpc-timeout over gRPC-Web is read in the same way", async () => {
  await using db = await connect("memory:");
  await using server = await serve(db, { port: 0, hostname: "127.0.0.1", http: { port: 0 } });
  const port = server.httpPort!;
  for (const timeout of MALFORMED) {
    const [code, text] = await webStatusOf(port, timeout);
    assertEquals([timeout, code], [timeout, "13"]);
    assertStringIncludes(text, "malformed grpc-timeout");
  }
  // Blanks around a value of HTTP/1.1 are not part of it.
  for (const timeout of [...LEGAL, " 10S", "10S ", "  10S\t"]) {
    assertEquals([timeout, (await webStatusOf(port, timeout))[0]], [timeout, "0"]);
  }
  for (const timeout of OVER) {
    assertEquals([timeout, (await webStatusOf(port, timeout))[0]], [timeout, "4"]);
  }
});

Deno.test("connect: what clients send as grpc-timeout is one, and no shorter than it was asked", async () => {
  await using db = await connect("memory:");
  await using server = await serve(db, { port: 0, hostname: "127.0.0.1", http: { port: 0 } });
  const seen: string[] = [];
  // What is asked over gRPC-Web, on its way to the server.
  const proxy = createServer((request, response) => {
    const pieces: Uint8Array[] = [];
    const timeout = request.headers["grpc-timeout"];
    if (request.url!.endsWith("/ListCollections")) seen.push(String(timeout));
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", async () => {
      const answer = await fetch(`http://127.0.0.1:${server.httpPort}${request.url}`, {
        method: "POST",
        headers: { "content-type": "application/grpc-web+proto" },
        body: Buffer.concat(pieces),
      });
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(new Uint8Array(await answer.arrayBuffer()));
    });
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  {
    const { port } = proxy.address() as AddressInfo;
    await using client = await connect(`grpc-web://127.0.0.1:${port}`);
    for (const timeoutMs of [30_000, 99_999_999, 100_000_000, 2_000_000_000]) {
      seen.length = 0;
      await Array.fromAsync(client.listCollections("", { timeoutMs }));
      const ms = parseGrpcTimeout(seen[0]!);
      assert(ms !== undefined, seen[0]);
      assert(ms > timeoutMs - 30_000 && ms < timeoutMs + 60_000, `${seen[0]} for ${timeoutMs} ms`);
    }
  }
  proxy.closeAllConnections();
  proxy.close();
  await once(proxy, "close");
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
