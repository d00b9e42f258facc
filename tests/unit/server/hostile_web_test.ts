/** Bounds on the bytes and the time of requests at the HTTP port (docs/security.md). */

import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import { assert, assertEquals } from "@std/assert";
import { frameOf, FrameReader, statusOf } from "../../../src/core/grpc_web.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { type ApiKey, serve, type ServeOptions } from "../../../src/server/mod.ts";
import { haveOpenssl, makeCertificate } from "../../support/certificate.ts";
import { until } from "../../support/until.ts";

const ROOT: ApiKey = { key: "root", capabilities: ["read", "insert"] };
const ANYBODY = { capabilities: ["read"] } as const;
const BASE: ServeOptions = {
  port: 0,
  hostname: "127.0.0.1",
  http: { port: 0 },
  apiKeys: [ROOT],
  anonymous: ANYBODY,
  limits: { messageBytes: 100_000 },
};
const PATH = "/v5api.BTrDB/RawValues";
const TYPE = "application/grpc-web+proto";

/** The beginning of a message: it says that it has `size` bytes, and `sent` of them follow. */
function beginning(size: number, sent: number): Uint8Array {
  const bytes = new Uint8Array(5 + sent);
  new DataView(bytes.buffer).setUint32(1, size);
  return bytes;
}

/** The status in the body of an answer, if it has come. */
function endOf(body: Uint8Array): number | undefined {
  const reader = new FrameReader(1 << 20);
  for (let frame = reader.take(body); frame !== undefined; frame = reader.take(body)) {
    if (frame.isTrailers) return statusOf(frame.bytes).code;
  }
  return undefined;
}

/** A request over HTTP/1.1 whose body does not end. */
class HalfCall {
  readonly #request: http.ClientRequest;
  /** Status it was answered with, once it was. */
  status: number | undefined;
  readonly closed: Promise<void>;

  constructor(port: number, bytes: Uint8Array, headers: Record<string, string> = {}) {
    this.#request = http.request({
      port,
      host: "127.0.0.1",
      method: "POST",
      path: PATH,
      headers: { "content-type": TYPE, ...headers },
      agent: false,
    });
    this.closed = new Promise((resolve) => this.#request.once("close", () => resolve()));
    this.#request.on("error", () => {});
    this.#request.on("response", (response) => {
      const pieces: Uint8Array[] = [];
      response.on("error", () => {});
      response.on("data", (piece: Uint8Array) => {
        pieces.push(piece);
        this.status = endOf(new Uint8Array(pieces.flatMap((bytes) => [...bytes]))) ?? this.status;
      });
    });
    this.#request.write(bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#request.destroy();
    await this.closed;
  }
}

/** Status of a whole call. */
async function call(
  port: number,
  headers: Record<string, string> = {},
): Promise<number | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/v5api.BTrDB/ListCollections`, {
    method: "POST",
    headers: { "content-type": TYPE, ...headers },
    body: frameOf(new Uint8Array(0)),
  });
  return endOf(new Uint8Array(await response.arrayBuffer()));
}

Deno.test("serve: half messages over gRPC-Web are bounded in all, and given back", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, BASE);
  const port = server.httpPort!;
  const half = beginning(100_000, 90_000);
  const calls: HalfCall[] = [];
  const refused = () => calls.filter(({ status }) => status === 8).length;
  // In all: four messages of callers without a key.
  for (let i = 0; i < 6; i++) calls.push(new HalfCall(port, half));
  await until("two are refused", () => refused() === 2);
  // Those of callers with a key are others.
  assertEquals(await call(port, { authorization: "bearer root" }), 0);
  for (const call of calls) await call[Symbol.asyncDispose]();
  assertEquals(refused(), 2);
  await until("nothing is held", async () => {
    await using again = new HalfCall(port, half);
    return await call(port) === 0 && again.status === undefined;
  });
});

Deno.test("serve: a message over gRPC-Web that is too long is refused by its head", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, BASE);
  for (const [bytes, authorization] of [[100_001, ""], [2 ** 32 - 1, "bearer root"]] as const) {
    await using call = new HalfCall(server.httpPort!, beginning(bytes, 0), { authorization });
    await until("it is refused", () => call.status !== undefined);
    assertEquals(call.status, authorization === "" ? 16 : 8);
  }
});

Deno.test("serve: half messages over HTTP/2 are bounded on a connection", async () => {
  if (!haveOpenssl()) return console.warn("skipped, there is no openssl");
  await using endpoint = await openEngine();
  const folder = await Deno.makeTempDir();
  const { cert, key } = await makeCertificate(folder);
  await using server = await serve(endpoint, { ...BASE, tls: { cert, key } });
  const session = http2.connect(`https://127.0.0.1:${server.httpPort}`, {
    rejectUnauthorized: false,
  });
  session.on("error", () => {});
  const statuses: (number | undefined)[] = [];
  const halves = (count: number, headers: Record<string, string>) => {
    for (let i = 0; i < count; i++) {
      const stream = session.request({
        ":method": "POST",
        ":path": PATH,
        "content-type": TYPE,
        ...headers,
      }, { endStream: false });
      stream.on("error", () => {});
      stream.on("data", (piece: Uint8Array) => statuses.push(endOf(piece)));
      stream.write(beginning(100_000, 90_000));
    }
  };
  halves(3, {});
  await until("two are refused", () => statuses.length === 2);
  halves(10, { authorization: "bearer root" });
  await until("two more are refused", () => statuses.length === 4);
  assertEquals(new Set(statuses), new Set([8]));
  const closed = new Promise<void>((resolve) => session.once("close", () => resolve()));
  session.destroy();
  await closed;
  await Deno.remove(folder, { recursive: true });
});

Deno.test("serve: a head and a first message at the HTTP port have ten seconds", async () => {
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, BASE);
  const port = server.httpPort!;
  const startMs = Date.now();
  const silent = (text: string) => {
    const socket = net.connect(port, "127.0.0.1", () => void socket.write(text));
    socket.on("error", () => {});
    socket.resume();
    return new Promise<number>((resolve) =>
      socket.once("close", () => resolve(Date.now() - startMs))
    );
  };
  await using half = new HalfCall(port, beginning(1_000, 10));
  const waits = await Promise.all([
    silent(""),
    silent(`POST ${PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n`),
  ]);
  // None is ended early; none is left open, or this would not end.
  for (const wait of waits) assert(wait > 9_000, `${wait} ms`);
  await until("the half message is given up", () => half.status !== undefined);
  assertEquals(half.status, 4);
});
