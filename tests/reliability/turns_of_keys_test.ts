/** Callers with a key beside floods of calls by another one (docs/security.md). */

import { connect as connectTcp, type Socket } from "node:net";
import { assertLess } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { ServerProcess } from "../support/server_process.ts";

const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const [DATA, HEADERS, SETTINGS, WINDOW] = [0, 1, 4, 8];
const [END_STREAM, END_HEADERS] = [1, 4];
/** Calls that each connection of the flood has open all the time. */
const OPEN = 16;

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length << 8 | type);
  view.setUint8(4, flags);
  view.setUint32(5, stream);
  bytes.set(payload, 9);
  return bytes;
}

/** Headers of a call of `Info`, in HPACK (RFC 7541) without compression. */
function headersOf(key: string): Uint8Array {
  const fields = {
    ":method": "POST",
    ":scheme": "http",
    ":path": "/v5api.BTrDB/Info",
    ":authority": "x",
    "content-type": "application/grpc",
    te: "trailers",
    authorization: `bearer ${key}`,
  };
  const text = (value: string) => [value.length, ...new TextEncoder().encode(value)];
  const all = Object.entries(fields).flatMap(([name, value]) => [0, ...text(name), ...text(value)]);
  return Uint8Array.from(all);
}

/** Makes calls on one connection without a pause, until it is destroyed. */
function flood(port: number, key: string, onAnswer: () => void): Socket {
  const socket = connectTcp(port, "127.0.0.1");
  const headers = headersOf(key);
  let stream = 1;
  const call = () => {
    socket.write(frame(HEADERS, END_HEADERS, stream, headers));
    socket.write(frame(DATA, END_STREAM, stream, new Uint8Array(5)));
    stream += 2;
  };
  socket.write(PREFACE);
  socket.write(frame(SETTINGS, 0, 0, new Uint8Array(0)));
  socket.write(frame(WINDOW, 0, 0, Uint8Array.from([0x70, 0, 0, 0])));
  for (let i = 0; i < OPEN; i++) call();
  let rest = new Uint8Array(0);
  socket.on("data", (chunk: Uint8Array) => {
    const bytes = Uint8Array.from([...rest, ...chunk]);
    const view = new DataView(bytes.buffer);
    let at = 0;
    while (at + 9 <= bytes.length) {
      const next = at + 9 + (view.getUint32(at) >>> 8);
      if (next > bytes.length) break;
      const flags = view.getUint8(at + 4);
      const isEnd = view.getUint8(at + 3) === HEADERS && (flags & END_STREAM) !== 0;
      at = next;
      if (!isEnd) continue;
      onAnswer();
      call();
    }
    rest = bytes.slice(at);
  });
  socket.on("error", () => {});
  return socket;
}

// Turns went round the connections. Beside 40 of another key an honest call waited for some calls of each of
// them: while it waited they had 92 answers in the median, and now 1.
Deno.test("serve: a call waits for few calls of another key, however many connections that has", async () => {
  await using server = await ServerProcess.start("tests/support/grpc/two_keys_server.ts");
  await using db = await connect(`127.0.0.1:${server.port}`, { apiKey: "honest" });
  await db.info();
  let answers = 0;
  const floods = Array.from(
    { length: 40 },
    () => flood(server.port, "greedy", () => void answers++),
  );
  while (answers < 5_000) await db.info();
  const waited: number[] = [];
  for (let i = 0; i < 50; i++) {
    const before = answers;
    await db.info();
    waited.push(answers - before);
  }
  for (const socket of floods) socket.destroy();
  waited.sort((a, b) => a - b);
  assertLess(waited[25]!, 30, waited.join(" "));
});
