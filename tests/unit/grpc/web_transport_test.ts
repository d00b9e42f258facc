/** gRPC-Web clients and servers that answer something else. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { BTrDBError, connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { frameOf, trailersOf } from "../../../src/core/grpc_web.ts";
import { wasUnsent } from "../../../src/grpc/errors.ts";
import { connectGrpcWeb } from "../../../src/grpc/connect_grpc_web.ts";
import { addressText, parseWebAddress } from "../../../src/grpc/transport/address.ts";
import { info, versioned } from "../../support/grpc/scripted_answers.ts";
import { haveOpenssl, makeCertificate } from "../../support/certificate.ts";
import { freePort } from "../../support/free_port.ts";
import { HANG_MS } from "../../support/until.ts";

const HEAD = "HTTP/1.1 200 OK\r\ncontent-type: application/grpc-web+proto\r\n";

/** Bytes of text and frames. */
function bytesOf(...parts: (string | Uint8Array)[]): Uint8Array {
  const all = parts.map((part) => typeof part === "string" ? new TextEncoder().encode(part) : part);
  return Uint8Array.from(all.flatMap((part) => [...part]));
}

/** A server that sends `answer` after the head of a request and then closes the connection. */
async function answering(
  answer: Uint8Array,
  use: (address: string) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use(`grpc-web://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Trailers of a server that does not say why it is unavailable. */
const END_14 = trailersOf({ code: 14, details: "" });

const REFUSALS: [string, Uint8Array, string, string][] = [
  ["404", bytesOf("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"), "UNIMPLEMENTED", "404"],
  ["401", bytesOf("HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n"), "UNAUTHENTICATED", "401"],
  ["503", bytesOf("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"), "UNAVAILABLE", "503"],
  [
    "a page",
    bytesOf("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi"),
    "UNKNOWN",
    'it answered with "text/html", not with gRPC-Web',
  ],
  [
    "a status in the head",
    bytesOf(HEAD, "grpc-status: 16\r\ngrpc-message: no%20key\r\ncontent-length: 0\r\n\r\n"),
    "UNAUTHENTICATED",
    "no key",
  ],
  // It was a lost connection without a reason, which was tried again.
  [
    "a status in the head that is none",
    bytesOf(HEAD, "grpc-status: ok\r\ncontent-length: 0\r\n\r\n"),
    "UNKNOWN",
    'its status is "ok", expected 0 to 16',
  ],
  // Its letters were taken for the head of a frame, "it is no gRPC-Web".
  [
    "the text form",
    bytesOf("HTTP/1.1 200 OK\r\ncontent-type: application/grpc-web-text\r\n\r\n", "AAAAAAA="),
    "UNKNOWN",
    'it answered with "application/grpc-web-text", not with gRPC-Web',
  ],
  ["a status without a text", bytesOf(HEAD, "\r\n", END_14), "UNAVAILABLE", "it gave no reason"],
  ["nothing", bytesOf(HEAD, "content-length: 0\r\n\r\n"), "UNAVAILABLE", "broke off"],
  [
    "half a message",
    bytesOf(HEAD, "\r\n", frameOf(new Uint8Array(9)).subarray(0, 9)),
    "UNAVAILABLE",
    "",
  ],
  [
    "a message without an end",
    bytesOf(HEAD, "\r\n", frameOf(new Uint8Array(9))),
    "UNAVAILABLE",
    "broke off",
  ],
  [
    "a huge message",
    bytesOf(HEAD, "\r\n", Uint8Array.of(0, 255, 0, 0, 0)),
    "RESOURCE_EXHAUSTED",
    "4278190080 bytes is longer than the 67108864",
  ],
  [
    "a compressed message",
    bytesOf(HEAD, "\r\n", Uint8Array.of(1, 0, 0, 0, 0)),
    "INTERNAL",
    "compressed",
  ],
  ["no HTTP at all", bytesOf("SSH-2.0-OpenSSH_9.2\r\n"), "UNAVAILABLE", ""],
  [
    "another place",
    bytesOf("HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
    "UNAVAILABLE",
    "",
  ],
];

for (const [name, answer, status, text] of REFUSALS) {
  Deno.test(`connectGrpcWeb: ${name} is ${status}`, async () => {
    await answering(answer, async (address) => {
      const options = {
        addresses: [address],
        retry: false as const,
        deadlineMs: Date.now() + HANG_MS,
      };
      const error = await assertRejects(() => connectGrpcWeb(options), BTrDBError);
      assertEquals(error.status, status);
      assertStringIncludes(error.message, text);
    });
  });
}

Deno.test("connectGrpcWeb: nobody there was never sent, so that a write may be repeated", async () => {
  const port = freePort();
  const options = { addresses: [`grpc-web://127.0.0.1:${port}`], retry: false as const };
  const error = await assertRejects(() => connectGrpcWeb(options), BTrDBError, `127.0.0.1:${port}`);
  assertEquals(error.status, "UNAVAILABLE");
  assert(error.cause instanceof BTrDBError && wasUnsent(error.cause));
});

Deno.test("connectGrpcWeb: a server that says nothing is over at the deadline", async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `grpc-web://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const deadlineMs = Date.now() + 200;
  const options = { addresses: [address], retry: false as const, deadlineMs };
  const error = await assertRejects(() => connectGrpcWeb(options), BTrDBError);
  assertEquals(error.status, "DEADLINE_EXCEEDED");
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("connectGrpcWeb: what follows the trailers is dropped", async () => {
  const info = trailersOf({ code: 5, details: "gone" });
  const answer = bytesOf(HEAD, "\r\n", info, new Uint8Array(200_000));
  await answering(answer, async (address) => {
    const options = { addresses: [address], retry: false as const, protocol: "v5" as const };
    const error = await assertRejects(() => connectGrpcWeb(options), BTrDBError, "gone");
    assertEquals(error.status, "NOT_FOUND");
  });
});

// The call was over, but its connection and a megabyte of memory were kept for as long as the server liked.
Deno.test("connectGrpcWeb: an answer that does not end behind its trailers is given up", async () => {
  const closed = Promise.withResolvers<void>();
  let requests = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      const isInfo = requests++ === 0;
      const message = frameOf(isInfo ? info("5.30.0-deno", [], [5, 30]) : versioned(12n));
      const frames = bytesOf(message, trailersOf({ code: 0, details: "" }));
      const length = frames.length + (isInfo ? 0 : 1);
      if (!isInfo) socket.on("close", () => closed.resolve());
      socket.write(bytesOf(HEAD, `connection: close\r\ncontent-length: ${length}\r\n\r\n`, frames));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `grpc-web://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const endpoint = await connectGrpcWeb({ addresses: [address], retry: false });
  const version = await endpoint.flush(new Uint8Array(16).fill(4));
  assertEquals(version, { major: 12n, minor: 0n });
  await closed.promise;
  await endpoint.close();
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("parseWebAddress: schemes, ports, paths", () => {
  const address = (text: string) => {
    const parsed = parseWebAddress(text);
    return `${parsed.tls ? "https" : "http"}://${addressText(parsed)}`;
  };
  assertEquals(address("grpc-web://h:8080"), "http://h:8080");
  assertEquals(address("grpc-web://h"), "http://h:80");
  assertEquals(address("grpc-web+tls://h/grid/"), "https://h:443/grid");
  assertEquals(address("https://[::1]:9/a/b"), "https://[::1]:9/a/b");
  for (
    const text of ["h:8080", "grpc://h", "grpc-web://", "http://u:p@h", "http://h?x", "http://h#x"]
  ) {
    try {
      throw new Error(`${text} is taken: ${address(text)}`);
    } catch (error) {
      assert(error instanceof TypeError, String(error));
    }
  }
});

Deno.test("connect: gRPC-Web with a path, a key, and the wrong key", async () => {
  await using db = await connect("memory:");
  const apiKeys = [{ key: "secret", capabilities: ["read", "insert"] as const }];
  await using server = await serve(db, {
    port: 0,
    hostname: "127.0.0.1",
    http: { port: 0 },
    apiKeys,
  });
  const target = `grpc-web://127.0.0.1:${server.httpPort}`;
  await using client = await connect(target, { apiKey: "secret" });
  const stream = await client.create(crypto.randomUUID(), "x");
  await stream.insert([[1n, 1], [2n, 2]]);
  assertEquals(await stream.count(), 2n);
  const denied = await assertRejects(async () => {
    await using other = await connect(target, { apiKey: "other" });
    await other.listCollections();
  }, BTrDBError);
  assertEquals(denied.status, "UNAUTHENTICATED");
  await assertRejects(() => connect(`${target}/elsewhere`), BTrDBError, "unknown service");
  await assertRejects(
    () => connect(`${target},127.0.0.1:4410`),
    TypeError,
    "mixes gRPC and gRPC-Web",
  );
  await assertRejects(() => connect(target, { tls: true }), TypeError, "grpc-web+tls://");
});

Deno.test({
  name: "connect: gRPC-Web over TLS, by HTTP/2 and HTTP/1.1",
  ignore: !haveOpenssl(),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const { cert, key } = await makeCertificate(folder, "server", [
        "basicConstraints=critical,CA:FALSE",
      ]);
      await using db = await connect("memory:");
      await using server = await serve(db, { port: 0, http: { port: 0 }, tls: { cert, key } });
      const program = `
        import { connect } from "@btrdb/btrdb";
        await using db = await connect(Deno.args[0]);
        const stream = await db.create(crypto.randomUUID(), "x");
        await stream.insert({ times: BigInt64Array.from({ length: 20000 }, (_, i) => BigInt(i)),
          values: new Float64Array(20000) });
        let n = 0;
        for await (const { times } of stream.rawValues(0n, 1n << 40n)) n += times.length;
        console.log(n);
      `;
      await Deno.writeTextFile(`${folder}/program.ts`, program);
      const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", "--config", "deno.json", `${folder}/program.ts`]
          .concat(`grpc-web+tls://localhost:${server.httpPort}`),
        env: { DENO_CERT: cert },
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      assertEquals(new TextDecoder().decode(stdout).trim(), "20000");
      assertEquals(await statusOverHttp1(server.httpPort!, cert), "HTTP/1.1 404 Not Found");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

async function statusOverHttp1(port: number, cert: string): Promise<string> {
  const { connect: connectTls } = await import("node:tls");
  const ca = await Deno.readTextFile(cert);
  return await new Promise((resolve, reject) => {
    const socket = connectTls({ host: "localhost", port, ca, ALPNProtocols: ["http/1.1"] }, () => {
      socket.write("GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    });
    let text = "";
    socket.on("data", (bytes) => text += String(bytes));
    socket.on("error", reject);
    socket.on("close", () => resolve(text.split("\r\n")[0]!));
  });
}
