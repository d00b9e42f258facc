/** Runs of fuzzers: a few by default, for minutes when asked. */

import { usedCpuMs } from "./cpu_ms.ts";
import { Random } from "./random.ts";

/** A run that takes more of the processor's time than this hangs, ms. */
const HANG_CPU_MS = 1_000;

/** Runs before the limit holds: the first ones compile what they use. */
const WARM_UP_RUNS = 5;

/**
 * Generators of numbers, one a run, each from a seed of its own, which is printed where a run fails or
 * takes long. `FUZZ_MINUTES` says how long it goes on, `FUZZ_SEED` with which seed it begins; then it
 * is the only one unless minutes are said too.
 *
 * @param what Name of the fuzzer.
 * @param runs Number of runs by default.
 * @param limitMs Most time of the processor for a run, ms.
 * @throws Error If a run took more: time of the processor, which a busy machine does not lengthen.
 */
export function* fuzzing(
  what: string,
  runs: number,
  limitMs: number = HANG_CPU_MS,
): Generator<Random> {
  const minutes = Number(Deno.env.get("FUZZ_MINUTES") ?? 0);
  const given = Deno.env.get("FUZZ_SEED");
  const first = Number(given ?? 1);
  const least = given === undefined || minutes > 0 ? runs : 1;
  const endMs = performance.now() + minutes * 60_000;
  let seed = first;
  let slowest = 0;
  let isDone = false;
  const watch = minutes > 0 ? new Watch(what) : undefined;
  try {
    for (; seed < first + least || performance.now() < endMs; seed++) {
      watch?.begin(seed);
      const before = usedCpuMs();
      yield new Random(seed);
      const ms = usedCpuMs() - before;
      if (seed - first < WARM_UP_RUNS) continue;
      slowest = Math.max(slowest, ms);
      if (ms > limitMs) {
        throw new Error(`the run took ${Math.round(ms)} ms of the processor's time`);
      }
    }
    isDone = true;
  } finally {
    watch?.end();
    const text = `${what}: seeds ${first} to ${isDone ? seed - 1 : seed}, ` +
      `slowest run ${Math.round(slowest)} ms of the processor's time`;
    if (!isDone || minutes > 0) console.warn(text);
  }
}

/** Says which seed is running where one never ends, from a thread of its own. */
class Watch {
  readonly #seed = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker: Worker;

  constructor(what: string) {
    const program = `
      const seed = new Int32Array((await new Promise((done) => onmessage = done)).data);
      let said;
      for (;;) {
        const now = seed[0];
        if (now < 0) break;
        // A wake-up may be that of this very seed, which was there before it.
        if (Atomics.wait(seed, 0, now, 30_000) !== "timed-out" || said === now) continue;
        said = now;
        console.warn(${JSON.stringify(what)} + ": seed " + now + " has been running for 30 s");
      }`;
    const url = `data:text/javascript,${encodeURIComponent(program)}`;
    this.#worker = new Worker(url, { type: "module" });
    this.#worker.postMessage(this.#seed.buffer);
  }

  begin(seed: number): void {
    this.#seed[0] = seed;
    Atomics.notify(this.#seed, 0);
  }

  end(): void {
    // A thread that waits is not ended before it wakes up, and would say so then.
    this.begin(-1);
    this.#worker.terminate();
  }
}

/** Numbers as text that parsers like to get wrong. */
export const NASTY: readonly string[] = [
  "1e999",
  "-1e-999",
  "99999999999999999999999999999",
  "9007199254740993",
  "NaN",
  "-",
  "0x10",
  "1_000",
  "1e",
  "\0",
  "\uFEFF",
  '"',
  '""',
  "\r",
  "\n\n",
  ",,,",
  ";",
  "2026-02-30",
  "24:00:60",
  "=1+1",
];

/**
 * Bytes changed in one to four places: bits turned, pieces cut out, doubled, replaced or inserted, or
 * the end cut off.
 */
export function damaged(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  let all = Uint8Array.from(bytes);
  for (let i = random.int(1, 4); i > 0 && all.length > 0; i--) {
    const at = random.int(0, all.length - 1);
    const length = random.int(1, Math.min(random.pick([1, 4, 40, 1000]), all.length - at));
    const kind = random.int(0, 7);
    if (kind <= 2) all[at]! ^= 1 << random.int(0, 7);
    else if (kind === 3) all = joined(all.subarray(0, at), all.subarray(at + length));
    else if (kind === 4) all = joined(all.subarray(0, at + length), all.subarray(at));
    else if (kind === 5) all = all.slice(0, at);
    else if (kind === 6) {
      const text = new TextEncoder().encode(random.pick(NASTY));
      all = joined(all.subarray(0, at), text, all.subarray(at + (random.chance(0.5) ? length : 0)));
    } else {
      const value = random.pick([0, 0xff, 0x7f, 0x80, random.int(0, 255)]);
      all.fill(value, at, at + length);
    }
  }
  return all;
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
