/**
 * Servers that send frames which no server should send. A client may lose the call, never the
 * process: every attack is played to a client in a process of its own.
 *
 * `FRAME_ATTACKS=all` plays all of them, otherwise a part that is chosen anew each time.
 */

import { type AddressInfo, createServer } from "node:net";
import { assert, assertEquals } from "@std/assert";
import { Random } from "../support/random.ts";

const CLIENT = new URL("../support/grpc/raw_frames_client.ts", import.meta.url).pathname;
/** Attacks of the systematic part that are played by default. */
const SAMPLE = 150;

interface Attack {
  readonly name: string;
  readonly bytes: readonly Uint8Array[];
}

/** A frame; `length` is what its header says. */
function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(0),
  length: number = payload.length,
): Uint8Array {
  const bytes = new Uint8Array(9 + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length << 8 | type);
  bytes[4] = flags;
  view.setUint32(5, streamId);
  bytes.set(payload, 9);
  return bytes;
}

function filled(length: number, byte = 0): Uint8Array {
  return new Uint8Array(length).fill(byte);
}

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  const all = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) all.set(bytes, i * bytes.length);
  return all;
}

/** Every type of frame with every kind of flags, stream and length. */
function everyFrame(): Attack[] {
  const payloads = [[0, 0], [1, 0], [4, 0], [4, 255], [5, 0], [6, 1], [8, 0], [8, 255], [9, 3], [
    17,
    130,
  ]];
  const attacks: Attack[] = [];
  for (let type = 0; type <= 12; type++) {
    for (const flags of [0, 1, 4, 5, 8, 0x20, 0xff]) {
      for (const streamId of [0, 1, 2, 3, 5, 0x7fffffff]) {
        for (const [length, byte] of payloads as [number, number][]) {
          const name = `type ${type}, flags ${flags}, stream ${streamId}, ${length} × ${byte}`;
          attacks.push({ name, bytes: [frame(type, flags, streamId, filled(length, byte))] });
        }
      }
    }
  }
  return attacks;
}

/** Floods, storms, changes of settings, and bytes that are no frames. */
function special(): Attack[] {
  const window = Uint8Array.of(0x7f, 255, 255, 255);
  const attacks: Attack[] = [
    { name: "PING flood", bytes: [repeated(frame(6, 0, 0, filled(8)), 20_000)] },
    { name: "SETTINGS flood", bytes: [repeated(frame(4, 0, 0), 20_000)] },
    { name: "SETTINGS acknowledged for nothing", bytes: [repeated(frame(4, 1, 0), 20_000)] },
    { name: "RST_STREAM storm", bytes: [repeated(frame(3, 0, 1, filled(4)), 20_000)] },
    {
      name: "RST_STREAM storm, refused",
      bytes: [repeated(frame(3, 0, 3, Uint8Array.of(0, 0, 0, 7)), 20_000)],
    },
    {
      name: "WINDOW_UPDATE flood",
      bytes: [repeated(frame(8, 0, 0, Uint8Array.of(0, 0, 0, 1)), 20_000)],
    },
    { name: "windows that overflow", bytes: [frame(8, 0, 0, window), frame(8, 0, 0, window)] },
    {
      name: "window of a stream that overflows",
      bytes: [frame(8, 0, 1, window), frame(8, 0, 1, window)],
    },
    { name: "a frame above the limit", bytes: [frame(0, 0, 1, filled(16_385))] },
    { name: "a frame of 16 MB that never comes", bytes: [frame(0, 0, 1, filled(9), 0xffffff)] },
    {
      name: "CONTINUATION flood",
      bytes: [
        frame(1, 0, 1, Uint8Array.of(0x88)),
        repeated(frame(9, 0, 1, filled(100, 0x88)), 5_000),
      ],
    },
    {
      name: "empty DATA flood",
      bytes: [frame(1, 4, 1, Uint8Array.of(0x88)), repeated(frame(0, 0, 1), 20_000)],
    },
    {
      name: "GOAWAY twice",
      bytes: [
        frame(7, 0, 0, Uint8Array.of(0x7f, 255, 255, 255, 0, 0, 0, 0)),
        frame(7, 0, 0, filled(8)),
      ],
    },
    { name: "GOAWAY with much to say", bytes: [frame(7, 0, 0, filled(5_000, 1))] },
    { name: "GOAWAY flood", bytes: [repeated(frame(7, 0, 0, filled(8)), 20_000)] },
    { name: "HTTP/1", bytes: [new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")] },
    { name: "the end of the server's half", bytes: [] },
  ];
  for (const id of [1, 2, 3, 4, 5, 6, 8]) {
    for (const value of [0, 1, 0x3fff, 0x4000, 0xffffff, 0x7fffffff, 0xffffffff]) {
      const payload = new Uint8Array(6);
      new DataView(payload.buffer).setUint16(0, id);
      new DataView(payload.buffer).setUint32(2, value);
      attacks.push({ name: `setting ${id} is ${value}`, bytes: [frame(4, 0, 0, payload)] });
    }
  }
  return attacks;
}

/** Plays attacks to a client, one a connection; the client's exit code and the last one played. */
async function play(
  attacks: readonly Attack[],
): Promise<{ code: number; last: string; lines: string[] }> {
  let next = 0;
  const server = createServer((socket) => {
    const attack = attacks[next++];
    socket.on("error", () => {});
    if (attack === undefined) return void socket.destroy();
    socket.write(frame(4, 0, 0));
    socket.write(frame(4, 1, 0));
    // The requests of two calls have come: they are under way when the attack begins.
    let received = 0;
    let isPlayed = false;
    socket.on("data", (chunk: Uint8Array) => {
      received += chunk.length;
      if (received <= 120 || isPlayed) return;
      isPlayed = true;
      for (const bytes of attack.bytes) socket.write(bytes);
      socket.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", CLIENT, String(port), String(attacks.length)],
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    return { code, last: attacks[next - 1]?.name ?? "none", lines };
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

Deno.test("FrameFilter: no frame of a server ends the process of a client", async (t) => {
  const seed = Number(Deno.env.get("FRAME_SEED") ?? Math.floor(Math.random() * 2 ** 32));
  const random = new Random(seed);
  const systematic = everyFrame();
  const chosen = Deno.env.get("FRAME_ATTACKS") === "all"
    ? systematic
    : Array.from({ length: SAMPLE }, () => random.pick(systematic));
  await t.step(`seed ${seed}`, async () => {
    const attacks = [...special(), ...chosen];
    const { code, last, lines } = await play(attacks);
    assertEquals(code, 0, `the client has died at: ${last}`);
    assertEquals(lines.at(-1), "alive");
    assert(lines.length > attacks.length, `${lines.length} lines`);
  });
});
