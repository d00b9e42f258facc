/**
 * Frames of HTTP/2 in an order that no client would send: calls, and between them resets, window
 * updates, settings, pings, trailers, headers that are refused, frames of unknown types or with wrong
 * lengths, on streams that are open, over, or were never there. A server in a process of its own lives
 * on, complains of nothing, and answers others. For ten minutes, from any seed:
 *
 *     FUZZ_MINUTES=10 FUZZ_SEED=1 deno test -A tests/reliability/http2_fuzz_test.ts
 */

import { connect as connectTcp } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { uuidBytes } from "../../src/core/uuid.ts";
import { RawValuesParamsSchema } from "../../src/gen/btrdb_v5_pb.ts";
import { fuzzing } from "../support/fuzzing.ts";
import { Random } from "../support/random.ts";
import { HANG_MS } from "../support/until.ts";
import { ServedDatabase } from "./support/served_database.ts";

/** Connections of a run, side by side. */
const CONNECTIONS = 4;

const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const [DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION] = [
  ...[0, 1, 2, 3, 4],
  ...[5, 6, 7, 8, 9],
] as const;
const [ALTSVC, ORIGIN, PRIORITY_UPDATE, UNKNOWN] = [10, 12, 16, 0xee];
const [END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY] = [1, 1, 4, 8, 0x20];
/** Fields of HPACK's table (RFC 7541, appendix A). */
const [GET, POST, HTTP, ROOT] = [0x82, 0x83, 0x86, 0x84];

type Bytes = ArrayLike<number>;

function frame(type: number, flags: number, stream: number, payload: Bytes = []): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  bytes.set([...int32(payload.length).slice(1), type, flags, ...int32(stream)]);
  bytes.set(payload, 9);
  return bytes;
}

function int32(value: number): number[] {
  return [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
}

/** A field that goes into no table, both parts shorter than 127 bytes. */
function field(name: string, value: string): number[] {
  const [a, b] = [name, value].map((text) => new TextEncoder().encode(text));
  return [0, a!.length, ...a!, b!.length, ...b!];
}

/** Settings, each with its number. */
function settings(...pairs: [number, number][]): Uint8Array {
  return frame(SETTINGS, 0, 0, pairs.flatMap(([name, value]) => [0, name, ...int32(value)]));
}

function headers(stream: number, fields: Bytes, flags = END_STREAM | END_HEADERS): Uint8Array {
  return frame(HEADERS, flags, stream, fields);
}

/** Frames that a client may send, but not then; `s` is a stream that may be open, over, or not yet there. */
const ALLOWED: ((s: number) => Uint8Array)[] = [
  (s) => frame(WINDOW, 0, s, int32(0)),
  (s) => frame(RESET, 0, s, int32(8)),
  (s) => frame(RESET, 0, s, int32(11)),
  (s) => frame(DATA, END_STREAM, s, [1]),
  (s) => headers(s, field("a", "b")),
  (s) => headers(s + 2, [GET]),
  (s) => headers(s + 2, [GET, HTTP, ROOT, ...field("Aa", "b")]),
  (s) => headers(s + 2, [GET, HTTP, ...field(":path", "")]),
  (s) => headers(s + 2, [POST, HTTP, ROOT, ...field("content-length", "5")]),
  (s) => headers(s + 2, [...field(":method", "CONNECT"), ...field(":authority", "x")], END_HEADERS),
  () => settings([1, 0]),
  () => settings([3, 0]),
  () => settings([4, 0]),
  () => settings([6, 0]),
  () => settings([8, 1]),
  () => frame(SETTINGS, ACK, 0),
  () => frame(GOAWAY, 0, 0, new Uint8Array(8)),
  () => frame(ALTSVC!, 0, 0, [0, 1, 0x61, 0x62]),
  () => frame(PRIORITY_UPDATE!, 0, 0, [0, 0, 0, 1, 0x75]),
];

/** Frames that end a connection. */
const FORBIDDEN: ((s: number) => Uint8Array)[] = [
  () => frame(WINDOW, 0, 0, int32(0)),
  () => frame(WINDOW, 0, 0, int32(0x7fff_ffff)),
  (s) => frame(WINDOW, 0, s, int32(0x7fff_ffff)),
  () => frame(WINDOW, 0, 9_999, int32(1)),
  () => frame(WINDOW, 0, 0, [1]),
  () => settings([4, 0xffff_ffff]),
  () => settings([5, 1]),
  () => settings([2, 7]),
  () => frame(SETTINGS, 0, 0, [1]),
  () => frame(SETTINGS, 0, 1),
  () => frame(SETTINGS, ACK, 0, [0, 1, 0, 0, 0, 0]),
  () => frame(PING, 0, 0, [1]),
  () => frame(PING, 0, 1, new Uint8Array(8)),
  () => frame(GOAWAY, 0, 0, [0]),
  () => frame(GOAWAY, 0, 1, new Uint8Array(8)),
  () => frame(RESET, 0, 0, int32(8)),
  () => frame(RESET, 0, 9_999, int32(8)),
  (s) => frame(RESET, 0, s, [1]),
  () => frame(PUSH, END_HEADERS, 1, [0, 0, 0, 2, GET!]),
  (s) => frame(PRIORITY, 0, s, [...int32(s), 16]),
  (s) => frame(PRIORITY, 0, s, [1]),
  () => frame(DATA, 0, 0, [1]),
  () => frame(DATA, 0, 9_999, [1]),
  (s) => frame(DATA, PADDED, s, [200, 1]),
  () => frame(CONTINUATION, END_HEADERS, 1, [GET!]),
  (s) => headers(s + 2, new Uint8Array(5).fill(0xff)),
  (s) => headers(s + 2, [GET, HTTP, ROOT, ...field("connection", "close")]),
  (s) => headers(s + 2, [GET, HTTP, ROOT, ...field("a", "b\0c")]),
  (s) => headers(s + 2, [...field(":method", ""), HTTP, ROOT]),
  (s) => headers(s + 2, [250, GET], END_STREAM | END_HEADERS | PADDED),
  (s) => headers(s + 2, [...int32(s + 2), 16, GET], END_STREAM | END_HEADERS | HAS_PRIORITY),
  (s) => headers(s + 2, [GET], 0),
  () => headers(2, [GET, HTTP, ROOT]),
  () => headers(0x7fff_ffff, [GET, HTTP, ROOT]),
  () => frame(ORIGIN!, 0, 0, [0, 1, 0x61]),
  () => frame(UNKNOWN!, 0, 0, new Uint8Array(20_000)),
  () => new Uint8Array(50).fill(0x47),
];

/** One connection with a sequence of frames. */
async function talk(port: number, uuid: string, random: Random): Promise<void> {
  const socket = connectTcp(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  socket.on("data", () => {});
  const send = (...frames: Uint8Array[]) => {
    const sent = new Promise<void>((resolve) => {
      frames.forEach((bytes, i) => socket.write(bytes, i > 0 ? undefined : () => resolve()));
    });
    return Promise.race([sent, closed]);
  };
  const windows: [number, number][] = [[4, random.int(0, 70_000)], [1, random.int(0, 5_000)]];
  await send(PREFACE, random.chance(0.7) ? settings() : settings(...windows));
  let stream = 1;
  for (let turns = random.int(3, 40); turns > 0 && !socket.destroyed; turns--) {
    const frames: Uint8Array[] = [];
    for (let i = random.int(1, 4); i > 0; i--) {
      if (random.chance(0.5)) {
        frames.push(...read(uuid, stream, random));
        stream += 2;
      } else {
        const any = 1 + 2 * random.int(0, stream >> 1);
        const which = random.chance(0.5) ? Math.max(1, stream - 2) : any;
        frames.push(random.pick(random.chance(0.8) ? ALLOWED : FORBIDDEN)(which));
      }
    }
    await send(...frames);
    if (random.chance(0.3)) await new Promise((resolve) => setTimeout(resolve, random.int(0, 5)));
  }
  if (random.chance(0.5)) socket.end();
  else socket.destroy();
  await new Promise((resolve) => setTimeout(resolve, random.int(0, 10)));
  socket.destroy();
  await closed;
}

/** `RawValues` of all points of a stream, in one of the forms that HTTP/2 has for it. */
function read(uuid: string, stream: number, random: Random): Uint8Array[] {
  const params = create(RawValuesParamsSchema, {
    uuid: uuidBytes(uuid),
    start: 0n,
    end: 1n << 60n,
  });
  const message = toBinary(RawValuesParamsSchema, params);
  const fields = [
    ...[POST!, HTTP!],
    ...field(":path", "/v5api.BTrDB/RawValues"),
    ...field(":authority", "localhost"),
    ...field("content-type", "application/grpc"),
    ...field("te", "trailers"),
  ];
  const body = [0, ...int32(message.length), ...message];
  const cut = random.chance(0.7) ? 0 : random.int(0, fields.length);
  const split = random.chance(0.7) ? 0 : random.int(0, body.length);
  const priority = [...int32(0), 16];
  const padding = random.int(0, 20);
  return [
    ...(cut === 0 ? [headers(stream, fields, END_HEADERS)] : [
      headers(stream, [...priority, ...fields.slice(0, cut)], HAS_PRIORITY),
      frame(CONTINUATION, END_HEADERS, stream, fields.slice(cut)),
    ]),
    ...(split === 0 ? [frame(DATA, END_STREAM, stream, body)] : [
      frame(DATA, PADDED, stream, [padding, ...body.slice(0, split), ...new Uint8Array(padding)]),
      frame(DATA, END_STREAM, stream, body.slice(split)),
    ]),
  ];
}

// One such sequence ended a server by SIGSEGV, another by an exception in the gRPC library.
Deno.test("serve lives on whatever frames of HTTP/2 come in whatever order", async () => {
  const served = await ServedDatabase.start("memory:");
  const port = Number(served.address.split(":").at(-1));
  {
    await using db = await connect(served.address, { timeoutMs: HANG_MS });
    const stream = await db.create(crypto.randomUUID(), "fuzz", { tags: { name: "fuzz" } });
    const n = 100_000;
    await stream.insert({
      times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i)),
      values: new Float64Array(n),
    });
    for (const random of fuzzing("HTTP/2 frames", 40, Infinity)) {
      const seeds = Array.from({ length: CONNECTIONS }, () => {
        return new Random(random.int(0, 0x7fff_ffff));
      });
      await Promise.all(seeds.map((own) => talk(port, stream.uuid, own)));
      assertEquals((await stream.nearest(0n))?.time, 0n);
    }
  }
  assertEquals(await served.stop(), { code: 0, errors: "" });
});
