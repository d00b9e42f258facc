/**
 * Longest turns of a server's event loop: sends large messages of all kinds, and calls on many streams,
 * twice each to a server in a process of its own, and prints the CPU time of the longest turn.
 *
 *     deno run -A tests/reliability/turns.ts [PATTERN]
 *
 * A turn over 10 ms is marked, with the time of the clock that it took, and what of it was a collection
 * of garbage. Run it on a quiet machine: other work lengthens turns by a fifth and more. Linux only.
 */

import { LARGE_MESSAGES, type Request } from "./support/large_messages.ts";
import type { Turn } from "./support/turns_process.ts";
import { RawClient } from "../support/grpc_client.ts";

const MOST_MS = 10;
const SENDINGS = 2;
const PROCESS = new URL("support/turns_process.ts", import.meta.url).pathname;
const pattern = new RegExp(Deno.args[0] ?? "");
const flags = Deno.env.get("TURNS_FLAGS") ?? "";

const child = new Deno.Command("stdbuf", {
  args: [
    ...["-oL", Deno.execPath(), "run", "-A", "--no-check", "--quiet"],
    `--v8-flags=--trace-gc,--expose-gc${flags}`,
    PROCESS,
  ],
  stdin: "piped",
  stdout: "piped",
}).spawn();
const input = child.stdin.getWriter();

/** Collections of garbage: end on the clock of V8, and duration, ms. */
const collections: { endMs: number; ms: number; kind: string }[] = [];
let isolate: string | undefined;
let asked: typeof collections[number] | undefined;
const answers = new TransformStream<string, string>(undefined, { highWaterMark: 64 });
const answered = answers.readable.getReader();
const reading = read(child.stdout);

/** Reads lines of the server all the time; those of V8, on its main thread, are kept apart. */
async function read(output: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
  const writer = answers.writable.getWriter();
  let rest = "";
  for await (const text of output.pipeThrough(new TextDecoderStream())) {
    const all = (rest + text).split("\n");
    rest = all.pop()!;
    for (const line of all) {
      const gc = /:(0x\w+)\] +(\d+) ms: (.*?) [\d.]+ \(.*? MB, (?:pooled: .*?MB, )?([\d.]+) \//
        .exec(line);
      if (gc !== null) {
        isolate ??= gc[1]!;
        if (gc[1] === isolate) collections.push({ endMs: +gc[2]!, kind: gc[3]!, ms: +gc[4]! });
        // The one that the server asks for before its first line.
        if (asked === undefined && /^Mark-Compact .*testing/.test(`${gc[3]} ${line}`)) {
          asked = collections.at(-1);
        }
      } else if (!line.startsWith("[") || line.startsWith("[[") || line === "[]") {
        void writer.write(line);
      }
    }
  }
  void writer.close();
}

async function answer(): Promise<string> {
  const { value, done } = await answered.read();
  if (done) throw new Error("The server has ended");
  return value;
}

/** Turns since this was called before. */
async function turns(): Promise<Turn[]> {
  await input.write(new Uint8Array([10]));
  return JSON.parse(await answer()) as Turn[];
}

const [port, httpPort, startMs] = (await answer()).split(" ").map(Number);
/** From the clock of the process to the one of V8, ms. */
const shiftMs = asked!.endMs - startMs!;
const client = new RawClient(`127.0.0.1:${port}`);

/** Sends a request, reads the answer, and tells how it ended. */
async function send(request: Request): Promise<string> {
  if (request.kind === "grpc") {
    const { code, details, messages } = await client.call(request.path, request.message);
    const bytes = messages.reduce((sum, { length }) => sum + length, 0);
    return `${code === 0 ? `${bytes} bytes` : `${code} ${details.slice(0, 60)}`}`;
  }
  const response = await fetch(`http://127.0.0.1:${httpPort}${request.path}`, request.init);
  let bytes = 0;
  for await (const piece of response.body ?? []) bytes += piece.length;
  const status = response.headers.get("grpc-status");
  return `${response.status}${status === null ? "" : ` ${status}`} ${bytes} bytes`;
}

/** Collections of garbage in a turn. */
function collected([, wallMs, endMs]: Turn): string {
  const inside = collections.filter(({ endMs: at }) =>
    at - shiftMs > endMs - wallMs - 1 && at - shiftMs < endMs + 1
  );
  return inside.map(({ kind, ms }) => `${kind} ${ms.toFixed(1)}`).join(" + ");
}

let over = 0;
for (const { name, make } of LARGE_MESSAGES) {
  if (!pattern.test(name)) continue;
  for (let sending = 0; sending < SENDINGS; sending++) {
    const request = make(sending);
    await turns();
    const outcome = await send(request);
    // What the call leaves to do belongs to it.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const all = (await turns()).sort(([a], [b]) => b - a);
    const longest = all[0]?.[0] ?? 0;
    const tooLong = all.filter(([cpu]) => cpu > MOST_MS);
    if (tooLong.length > 0) over++;
    const mark = tooLong.length > 0 ? "!!" : "  ";
    const ms = longest === 0 ? "< 5" : longest.toFixed(1);
    console.log(`${mark} ${ms.padStart(5)} ms  ${name} (${sending + 1}): ${outcome}`);
    for (const turn of tooLong.slice(0, 4)) {
      const gc = collected(turn);
      console.log(
        `          ${turn[0].toFixed(1)} of ${turn[1].toFixed(1)} ms` +
          (gc === "" ? "" : `, garbage: ${gc}`),
      );
    }
    if (tooLong.length > 4) console.log(`          and ${tooLong.length - 4} more`);
  }
}
console.log(`${over} sendings with a turn of more than ${MOST_MS} ms`);
client[Symbol.dispose]();
await input.close();
await reading;
await child.status;
