/** Frames of HTTP/2 that are made to do harm (docs/security.md). */

import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { assert, assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { serve } from "../../../src/server/mod.ts";
import { ServedDatabase } from "../../reliability/support/served_database.ts";
import { haveOpenssl, makeCertificate } from "../../support/certificate.ts";

const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const [DATA, HEADERS, PRIORITY, RESET, SETTINGS, PING, WINDOW, CONTINUATION] = [
  ...[0, 1, 2, 3, 4],
  ...[6, 8, 9],
] as const;
const [END_STREAM, END_HEADERS, PADDED] = [1, 4, 8];
/** `GET / HTTP/2` to `x`, in HPACK (RFC 7541): indexed fields, and one literal. */
const REQUEST = [0x82, 0x86, 0x84, 0x01, 1, 0x78];
/** A field `a` of 4,000 characters that goes into the table of fields, and is its first entry then. */
const LONG_FIELD = [0x40, 1, 0x61, 0x7f, 0xa1, 0x1e, ...new Array(4_000).fill(0x62)];
const FIRST_OF_TABLE = 0xbe;

function frame(type: number, flags: number, stream: number, payload: number[] = []): Uint8Array {
  const { length } = payload;
  const head = [
    length >> 16,
    length >> 8,
    length,
    type,
    flags,
    0,
    stream >> 16,
    stream >> 8,
    stream,
  ];
  return Uint8Array.from([...head, ...payload]);
}

/** Requests of some hundred bytes that stand for half a MiB of fields each. */
function bombs(count: number, repeated = 200): Uint8Array[] {
  const fields = [...REQUEST, ...new Array(repeated).fill(FIRST_OF_TABLE)];
  return [
    frame(HEADERS, END_HEADERS | END_STREAM, 1, [...REQUEST, ...LONG_FIELD]),
    ...Array.from(
      { length: count },
      (_, i) => frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 3, fields),
    ),
  ];
}

/** Floods, by what they are made of: frames of a turn. */
const FLOODS: Record<string, (turn: number) => Uint8Array[]> = {
  "headers that repeat a long field": (turn) => turn === 0 ? bombs(300) : [],
  "headers of a third of a MiB": (turn) => turn === 0 ? bombs(20, 80) : [],
  // A stream has no connection any more when it is over.
  "headers of a third of a MiB, of streams that are reset at once": (turn) =>
    turn > 0 ? [] : bombs(20, 80).flatMap((headers, i) => [
      headers,
      frame(RESET, 0, 2 * i + 1, [0, 0, 0, 8]),
    ]),
  "headers without end": (turn) =>
    turn === 0
      ? [frame(HEADERS, END_STREAM, 1, REQUEST)]
      : Array.from({ length: 20 }, () => frame(CONTINUATION, 0, 1, [0, 1, 0x61, 1, 0x62])),
  "headers in frames without bytes": (turn) =>
    turn === 0
      ? [frame(HEADERS, END_STREAM, 1, REQUEST)]
      : Array.from({ length: 100 }, () => frame(CONTINUATION, 0, 1)),
  "streams that are reset at once": (turn) =>
    Array.from({ length: 100 }, (_, i) => 200 * turn + 2 * i + 1).flatMap((stream) => [
      frame(HEADERS, END_HEADERS | END_STREAM, stream, REQUEST),
      frame(RESET, 0, stream, [0, 0, 0, 8]),
    ]),
  settings: () => Array.from({ length: 100 }, () => frame(SETTINGS, 0, 0, [0, 4, 0, 0, 1, 0])),
  pings: () => Array.from({ length: 100 }, () => frame(PING, 0, 0, [1, 2, 3, 4, 5, 6, 7, 8])),
  "data without bytes": (turn) =>
    turn === 0
      ? [frame(HEADERS, END_HEADERS, 1, [0x83, ...REQUEST.slice(1)])]
      : Array.from({ length: 100 }, () => frame(DATA, 0, 1)),
};

const POST = [0x83, ...REQUEST.slice(1)];

/**
 * More floods, a hundred frames a turn: nothing ended them while their client took what was answered.
 * Frames of half a MB held up all others for as long as some requests.
 */
const CHEAP: Record<string, (turn: number) => Uint8Array[]> = {
  "window updates of a byte": () => hundred(() => frame(WINDOW, 0, 0, [0, 0, 0, 1])),
  "window updates of a request": (turn) => [
    ...turn === 0 ? [frame(HEADERS, END_HEADERS, 1, POST)] : [],
    ...hundred(() => frame(WINDOW, 0, 1, [0, 0, 0, 1])),
  ],
  priorities: () => hundred(() => frame(PRIORITY, 0, 1, [0, 0, 0, 0, 16])),
  "data of a byte": (turn) => [
    ...turn === 0 ? [frame(HEADERS, END_HEADERS, 1, POST)] : [],
    ...hundred(() => frame(DATA, 0, 1, [0])),
  ],
  padding: (turn) => [
    ...turn === 0 ? [frame(HEADERS, END_HEADERS, 1, POST)] : [],
    ...hundred(() => frame(DATA, PADDED, 1, [255, ...new Array(255).fill(0)])),
  ],
  "settings of windows, back and forth": () => [
    frame(SETTINGS, 0, 0, hundred((i) => [0, 4, 0, 0, i % 2, 0]).flat()),
  ],
  "frames of unknown types": () => hundred(() => frame(0xee, 0, 0)),
};

/** Bytes of the longest frame of them, that of padding; one with settings counts as many. */
const MOST_FRAME_BYTES = 9 + 256;

function hundred<T>(make: (i: number) => T): T[] {
  return Array.from({ length: 100 }, (_, i) => make(i));
}

/**
 * Sends a flood until the connection is ended, reading nothing; the bytes that were sent. A flood that is
 * sent at once is given 2,000 turns of the event loop, less than after which a silent connection is ended.
 */
function flood(socket: Socket, framesOf: (turn: number) => Uint8Array[]): Promise<number> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let turn = 0;
    const send = () => {
      while (!socket.destroyed && sent < 200e6) {
        const frames = framesOf(turn++);
        if (frames.length === 0) {
          turn += 9;
          break;
        }
        const bytes = Uint8Array.from(frames.flatMap((one) => [...one]));
        sent += bytes.length;
        if (!socket.write(bytes) || turn % 10 === 0) break;
      }
      if (socket.destroyed) return;
      if (sent >= 200e6 || turn > 20_000) reject(new Error(`${sent} bytes were taken`));
      else setTimeout(send, 1);
    };
    socket.write(PREFACE);
    socket.write(frame(SETTINGS, 0, 0));
    socket.on("error", () => {});
    socket.on("close", () => resolve(sent));
    socket.resume();
    send();
  });
}

for (const port of ["gRPC", "HTTP"] as const) {
  const ignore = !haveOpenssl();
  if (ignore) console.warn("skipped, there is no openssl: floods over TLS");
  Deno.test({
    name: `serve: floods of HTTP/2 end their connection, and only theirs, ${port}`,
    ignore,
    // Garbage is collected some seconds later.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      const folder = await Deno.makeTempDir();
      const { cert, key } = await makeCertificate(folder, "server", [
        "basicConstraints=critical,CA:FALSE",
      ]);
      const ca = await Deno.readTextFile(cert);
      await using db = await connect("memory:");
      await using server = await serve(db, { port: 0, http: { port: 0 }, tls: { cert, key } });
      await Deno.remove(folder, { recursive: true });
      const number = port === "gRPC" ? server.port : server.httpPort!;
      const options = { ca, ALPNProtocols: ["h2"], servername: "localhost" };
      for (const [what, framesOf] of Object.entries(FLOODS)) {
        const socket = connectTls(number, "127.0.0.1", options);
        await new Promise((resolve) => socket.once("secureConnect", resolve));
        assertEquals(socket.alpnProtocol, "h2");
        assert(await flood(socket, framesOf) < 200e6, what);
      }
      for (const [what, framesOf] of Object.entries(CHEAP)) {
        const socket = connectTls(number, "127.0.0.1", options);
        await new Promise((resolve) => socket.once("secureConnect", resolve));
        const startMs = performance.now();
        const bytes = await flood(socket, framesOf);
        const seconds = (performance.now() - startMs) / 1_000;
        // As many frames a second are allowed: a machine that is slow reads few more in a second.
        const most = 5e6 + 1_024 * MOST_FRAME_BYTES * seconds;
        assert(bytes < most, `${what}: ${bytes} bytes in ${seconds} s`);
      }
      using client = Deno.createHttpClient({ caCerts: [ca] });
      const url = `https://localhost:${server.httpPort}/api/v1/collections`;
      const init: RequestInit & { client: Deno.HttpClient } = { client };
      assertEquals(await (await fetch(url, init)).json(), []);
    },
  });
}

Deno.test("serve: headers that stand for gigabytes are not kept", async () => {
  // A process of its own: tests that run beside are threads of this one.
  const server = await ServedDatabase.start("memory:");
  const port = Number(server.address.split(":")[1]);
  const before = (await server.memory())!.resident;
  let most = 0;
  // 8 × 300 × half a MiB: more than a GB, which were kept until garbage was collected.
  for (let i = 0; i < 8; i++) {
    await flood(connectTcp(port, "127.0.0.1"), (turn) => turn === 0 ? bombs(300) : []);
    most = Math.max(most, (await server.memory())!.resident - before);
  }
  assertEquals(await server.stop(), { code: 0, errors: "" });
  assert(most < 700, `${most} more MB`);
});
