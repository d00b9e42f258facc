/**
 * Servers that send frames which no server should send. A client may lose the call, never the
 * process: every attack is played to a client in a process of its own.
 *
 * `FRAME_ATTACKS=all` plays all of them, otherwise a part that is chosen anew each time.
 */

import { assert, assertEquals } from "@std/assert";
import { haveOpenssl, makeCertificate } from "../support/certificate.ts";
import {
  answer,
  frame,
  GOAWAY,
  joined,
  type RawConnection,
  RawHttp2Server,
  RST_STREAM,
  type Tls,
  words,
} from "../support/grpc/raw_http2_server.ts";
import { Random } from "../support/random.ts";
import { withFolder } from "../support/run.ts";

const CLIENT = new URL("../support/grpc/raw_frames_client.ts", import.meta.url).pathname;
/** Attacks of the systematic part that are played by default to each state of a connection. */
const SAMPLE = 40;
/** Bytes of the message of every call of the client but the last one on a connection, at most. */
const SMALL_REQUEST = 50;

interface Attack {
  readonly name: string;
  readonly bytes: readonly Uint8Array[];
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

/**
 * Runs a client in a process of its own; what it says of each connection. Fails if it dies. Its
 * connections are idle before their last call until `idleUntil`.
 */
async function outlive(
  port: number,
  connections: number,
  calls: number,
  at: () => string,
  { idleUntil, caFile }: { idleUntil?: Promise<void>; caFile?: string | undefined } = {},
): Promise<Record<string, number>[]> {
  const numbers = [port, connections, calls].map(String);
  const mode = idleUntil === undefined ? "busy" : "idle";
  const args = ["run", "-A", "--quiet", "--no-check", CLIENT, ...numbers, mode];
  if (caFile !== undefined) args.push(caFile);
  const client = new Deno.Command(Deno.execPath(), {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = client.output();
  await Promise.race([idleUntil, output]);
  await client.stdin.close();
  const { code, stdout, stderr } = await output;
  const said = new TextDecoder().decode(stderr);
  assertEquals(code, 0, `the client has died at: ${at()}\n${said}`);
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  assertEquals(lines.pop(), "alive");
  return lines.map((line) => JSON.parse(line));
}

/** State of a connection in the moment an attack begins, and what the server does after it. */
const PHASES = [
  "busy, then the end",
  "busy, then the answers",
  "idle, then the end",
  "idle, then another call",
  "in an answer, then the end",
] as const;
type Phase = typeof PHASES[number];

/** Cuts bytes into pieces, now and then small ones. */
function* pieces(bytes: Uint8Array, random: Random): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const size = random.pick([1, 5, 9, 100, 5_000, bytes.length]);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** Bytes that the server sends for two calls before an attack, and after it. */
function around(phase: Phase, answers: Uint8Array): [before: Uint8Array, after: Uint8Array] {
  const nothing = new Uint8Array(0);
  if (phase.startsWith("idle")) return [answers, nothing];
  if (phase.startsWith("in an answer")) return [answers.subarray(0, 40), nothing];
  return [nothing, phase.endsWith("answers") ? answers : nothing];
}

/** Plays attacks to a client, one a connection: two calls of it are under way, or have just ended. */
async function play(
  attacks: readonly Attack[],
  phaseOf: () => Phase,
  random: Random,
  tls?: Tls & { caFile: string },
): Promise<void> {
  let next = 0;
  let last = "none";
  await using server = await RawHttp2Server.start((connection, streamId, bytes) => {
    if (bytes > SMALL_REQUEST) return connection.send(answer(streamId));
    if (connection.requests.length !== 2) return;
    const attack = attacks[next++];
    if (attack === undefined) return void connection.socket.destroy();
    const phase = phaseOf();
    last = `${attack.name} (${phase})`;
    const [before, after] = around(phase, joined(...connection.requests.map(answer)));
    for (const part of pieces(joined(before, ...attack.bytes, after), random)) {
      connection.send(part);
    }
    if (phase.endsWith("end")) connection.socket.end();
  }, tls);
  const lines = await outlive(server.port, attacks.length, 2, () => last, {
    caFile: tls?.caFile,
  });
  assertEquals(lines.length, attacks.length);
}

Deno.test("FrameFilter: no frame of a server ends the process of a client", async (t) => {
  const seed = Number(Deno.env.get("FRAME_SEED") ?? Math.floor(Math.random() * 2 ** 32));
  const random = new Random(seed);
  const isAll = Deno.env.get("FRAME_ATTACKS") === "all";
  const systematic = everyFrame();
  for (const phase of PHASES) {
    const chosen = isAll
      ? systematic
      : Array.from({ length: SAMPLE }, () => random.pick(systematic));
    const attacks = [...special(), ...chosen];
    await t.step(`${phase}, seed ${seed}`, () => play(attacks, () => phase, random));
  }
  await t.step({
    name: "over TLS",
    ignore: !haveOpenssl(),
    fn: () =>
      withFolder(async (folder) => {
        const files = await makeCertificate(folder);
        const tls = {
          cert: await Deno.readTextFile(files.cert),
          key: await Deno.readTextFile(files.key),
          caFile: files.cert,
        };
        const attacks = special();
        await play(attacks, () => random.pick(PHASES), random, tls);
      }),
  });
});

/**
 * Plays an attack to connections of one client that have been idle for a while, where GOAWAY ended
 * every second client; how their calls ended.
 */
async function attackIdle(
  connections: number,
  attackOf: (connection: RawConnection, i: number) => Uint8Array,
): Promise<Record<string, number>[]> {
  let i = 0;
  let gone = 0;
  const allGone = Promise.withResolvers<void>();
  await using server = await RawHttp2Server.start((connection, streamId, bytes) => {
    connection.send(answer(streamId));
    const isIdle = bytes <= SMALL_REQUEST && connection.requests.length === 2;
    if (!isIdle || i === connections) return;
    const attack = attackOf(connection, i++);
    connection.socket.once("close", () => ++gone === connections && allGone.resolve());
    setTimeout(() => {
      connection.send(attack);
      connection.socket.end();
    }, 50);
  });
  return await outlive(server.port, connections, 2, () => "idle connections", {
    idleUntil: allGone.promise,
  });
}

Deno.test("FrameFilter: GOAWAY on connections that were idle for a while, whatever stream it names", async () => {
  const counts = await attackIdle(
    32,
    ({ requests }, i) =>
      frame(GOAWAY, 0, 0, words([0x7fffffff, requests.at(-1)!, 0][i % 3]!, i % 14)),
  );
  assertEquals(counts, new Array(32).fill({ OK: 3 }));
});

Deno.test("FrameFilter: every attack on connections that were idle for a while", async () => {
  const attacks = special();
  const counts = await attackIdle(attacks.length, (_, i) => joined(...attacks[i]!.bytes));
  assertEquals(counts.length, attacks.length);
});

/** Calls at once on one connection. */
const MANY = 10_000;

/** Answers all of so many calls in one go, when all are there, or does something else to them. */
async function many(
  last: (connection: RawConnection) => void,
): Promise<Record<string, number>> {
  let isOver = false;
  await using server = await RawHttp2Server.start((connection, streamId, bytes) => {
    if (isOver) return connection.send(answer(streamId));
    if (bytes > SMALL_REQUEST) return connection.send(answer(streamId));
    if (connection.requests.length < MANY) return;
    isOver = true;
    last(connection);
  });
  const [counts] = await outlive(server.port, 1, MANY, () => "10,000 streams");
  return counts!;
}

Deno.test("FrameFilter: 10,000 streams on one connection that the server answers and leaves", async () => {
  const counts = await many((connection) => {
    connection.send(joined(...connection.requests.map(answer)));
    connection.send(frame(GOAWAY, 0, 0, words(connection.requests.at(-1)!, 0)));
  });
  assertEquals(counts, { OK: MANY + 1 });
});

Deno.test("FrameFilter: of 10,000 streams the server leaves half, which are retried or known as never sent", async () => {
  const counts = await many((connection) => {
    const half = connection.requests.slice(0, MANY / 2);
    connection.send(frame(GOAWAY, 0, 0, words(half.at(-1)!, 0)));
    connection.send(joined(...half.map(answer)));
  });
  const { OK = 0, "UNAVAILABLE unsent": unsent = 0, ...others } = counts;
  assertEquals(others, {});
  assertEquals(OK + unsent, MANY + 1);
  assert(OK > MANY / 2, `${OK} calls went well`);
});

Deno.test("FrameFilter: 10,000 streams that the server resets, each with another code", async () => {
  const counts = await many((connection) => {
    connection.send(
      joined(
        ...connection.requests.map((streamId, i) => frame(RST_STREAM, 0, streamId, words(i % 16))),
      ),
    );
    connection.send(frame(GOAWAY, 0, 0, words(0x7fffffff, 0)));
  });
  assertEquals(Object.values(counts).reduce((sum, count) => sum + count, 0), MANY + 1);
});

Deno.test("FrameFilter: 10,000 streams whose server closes its half in the middle of the answers", async () => {
  const counts = await many((connection) => {
    const answers = joined(...connection.requests.map(answer));
    connection.send(answers.subarray(0, answers.length / 2 + 7));
    connection.socket.end();
  });
  const { OK = 0, UNAVAILABLE: lost = 0, ...others } = counts;
  assertEquals(others, {});
  assertEquals(OK + lost, MANY + 1);
  assert(OK >= MANY / 2 - 1, `${OK} calls went well`);
});
