/**
 * Free memory given back to the operating system.
 *
 * A call on thousands of streams makes hundreds of thousands of small buffers. When it has ended, the
 * JavaScript engine does not collect them until as many new ones are made, and what it has collected
 * the C library keeps, since there is something in use between: half a GiB together, as measured.
 * So both are told, some seconds after the last such call, if enough was left. The JavaScript engine
 * collects in steps, beside the work of the event loop: one collection at once stopped everybody for 140
 * to 210 ms. The C library can be told by Deno where it may call native functions (`--allow-ffi`, which
 * is part of `--allow-all`).
 *
 * @module
 */

import { memoryUsage } from "node:process";

/**
 * Times after the last call at which memory is given back, ms, and growth that is then worth the while,
 * bytes: of what JavaScript uses, for a collection, and of the process, for the C library. A collection
 * takes CPU time; calls that were refused leave a few MB behind, and are many. When there were none for
 * a while, nobody minds one more collection. The C library is then told in any case: the JavaScript
 * engine may have collected by itself.
 */
const GIVEN_BACK = [
  { afterMs: 2_000, usedBytes: 128 << 20, residentBytes: 128 << 20 },
  { afterMs: 6_000, usedBytes: 48 << 20, residentBytes: 48 << 20 },
  { afterMs: 20_000, usedBytes: 16 << 20, residentBytes: 0 },
  { afterMs: 60_000, usedBytes: 16 << 20, residentBytes: 0 },
];

/** Time for which the timers are not started anew: thousands of calls may end in a second, ms. */
const ARM_MS = 500;

/** Calls at once that leave much free memory behind, whatever they were, when their clients do not read. */
const MANY_CALLS = 16;

/** Time after a collection has begun until the C library has what was collected, ms. */
const SWEEP_MS = 1_000;

/** Gives back what is free, in a thread of its own. */
type Trim = () => Promise<void>;

/** The part of Deno's API that calls native functions. */
interface DenoFfi {
  readonly build: { readonly os: string };
  readonly permissions: {
    querySync(descriptor: { name: "ffi" }): { readonly state: string };
  };
  dlopen(name: string, symbols: object): {
    readonly symbols: { readonly malloc_trim: (keptBytes: bigint) => Promise<number> };
    close(): void;
  };
}

/** Means of giving memory back. */
interface Means {
  readonly collections: PacedCollections;
  readonly trim: Trim | undefined;
}

/**
 * Least time from a collection to one that is asked for at once, ms, and growth of the process that is then
 * worth the while, bytes: a stranger who asks once a second would occupy a processor for a tenth of it.
 */
const [BETWEEN_MS, GROWN_BYTES] = [1_000, 64 << 20];

/** Least time from a collection to one after the last call, ms: whoever calls again and again costs 1 %. */
const AFTER_MS = 10_000;

/** Memory that grows from what was kept the last time. */
export class GrownMemory {
  #keptBytes = 0;

  /** Tells whether so much more is in use than at the last time, or at any since. */
  isWorth(bytes: number, worthBytes: number): boolean {
    this.#keptBytes = Math.min(this.#keptBytes, bytes);
    return bytes >= this.#keptBytes + worthBytes;
  }

  /** Takes note of what is left in use. */
  keep(bytes: number): void {
    this.#keptBytes = bytes;
  }
}

/** Means of {@linkcode PacedCollections}, which tests replace. */
export interface CollectionMeans {
  /** Begins to collect garbage; resolves when that is done. */
  collect(): Promise<void>;
  /** Bytes in use by JavaScript. */
  bytesInUse(): number;
  /** Bytes of the process in memory. */
  residentBytes(): number;
  /** Time of a clock that is never set back, ms. */
  now(): number;
}

/** Collections of garbage, of which each takes CPU time: some time passes between two of them. */
export class PacedCollections {
  readonly #means: CollectionMeans;
  readonly #used = new GrownMemory();
  readonly #resident = new GrownMemory();
  #collectedMs = -Infinity;

  constructor(means: CollectionMeans) {
    this.#means = means;
  }

  /** Time until garbage may be collected again after calls, ms. */
  get restMs(): number {
    return Math.max(0, this.#collectedMs + AFTER_MS - this.#means.now() + 1);
  }

  /** Collects garbage if so much more is in use than after the last time, and that was not just now. */
  collectIfWorth(worthBytes: number): void {
    const { bytesInUse } = this.#means;
    if (this.#isWithin(AFTER_MS) || !this.#used.isWorth(bytesInUse(), worthBytes)) return;
    void this.#collect().then(() => this.#used.keep(bytesInUse()));
  }

  /** Collects garbage if the process has grown by much since it last did so, and that was not just now. */
  collectAtOnce(): void {
    const { residentBytes } = this.#means;
    if (this.#isWithin(BETWEEN_MS) || !this.#resident.isWorth(residentBytes(), GROWN_BYTES)) return;
    void this.#collect().then(() => this.#resident.keep(residentBytes()));
  }

  #isWithin(ms: number): boolean {
    return this.#means.now() - this.#collectedMs < ms;
  }

  #collect(): Promise<void> {
    this.#collectedMs = this.#means.now();
    return this.#means.collect();
  }
}

/** In use by the process. */
const resident = new GrownMemory();
let means: Means | undefined;
const timers: ReturnType<typeof setTimeout>[] = [];
/** The one of a collection that has begun. */
let collecting: ReturnType<typeof setTimeout> | undefined;
/** When the others were last started. */
let armedMs = -Infinity;
/** The C library gives back what is free. */
let trimming: Promise<void> | undefined;
/** Servers of this process. */
let servers = 0;

/**
 * Begins to give memory back for a server.
 *
 * @returns Called when it has stopped; resolves when nothing is under way any more.
 */
export function freeMemoryWhileServing(): () => Promise<void> {
  servers++;
  return async () => {
    if (--servers > 0) return;
    clearTimers();
    clearTimeout(collecting);
    await trimming;
  };
}

function clearTimers(): void {
  for (const timer of timers.splice(0)) clearTimeout(timer);
}

/** Gives memory back some seconds after the last call of this function. No program waits for it. */
export function freeMemoryLater(): void {
  const nowMs = performance.now();
  if (servers === 0 || (timers.length > 0 && nowMs - armedMs < ARM_MS)) return;
  armedMs = nowMs;
  clearTimers();
  means ??= findMeans();
  const { collections, trim } = means;
  for (const { afterMs, usedBytes, residentBytes } of GIVEN_BACK) {
    // What was collected just before the call ended is collected again once that may be.
    const dueMs = Math.max(afterMs, collections.restMs);
    timers.push(after(dueMs, () => collections.collectIfWorth(usedBytes)));
    if (trim === undefined) continue;
    timers.push(after(dueMs + SWEEP_MS, () => trimIfWorth(trim, residentBytes)));
  }
}

/** Gives memory back after a call that was one of many at once. */
export function freeMemoryAfterMany(calls: number): void {
  if (calls >= MANY_CALLS) freeMemoryLater();
}

function trimIfWorth(trim: Trim, worthBytes: number): void {
  if (!resident.isWorth(residentBytes(), worthBytes)) return;
  trimming = trim().then(() => resident.keep(residentBytes())).catch(() => {});
}

function residentBytes(): number {
  return memoryUsage().rss;
}

function bytesInUse(): number {
  const { heapUsed, external } = memoryUsage();
  return heapUsed + external;
}

/** Collects garbage at once, if the process has grown and that was not just done, and some seconds later. */
export function collectGarbage(): void {
  freeMemoryLater();
  means?.collections.collectAtOnce();
}

/** Runs something later, for which no program waits. */
function after(ms: number, run: () => void): ReturnType<typeof setTimeout> {
  const timer = setTimeout(run, ms);
  (timer as { unref?: () => void }).unref?.();
  return timer;
}

function findMeans(): Means {
  const now = () => performance.now();
  const collections = new PacedCollections({ collect, bytesInUse, residentBytes, now });
  return { collections, trim: findTrim() };
}

/**
 * Size of the buffer after which the JavaScript engine begins to collect, bytes, beside four times what
 * is in use: V8 does so where objects and buffers have several times what was left of them the last time
 * and, before that, where they have a GiB.
 */
const PRESSURE_BYTES = 1 << 30;

/** Time for which there is that buffer, ms. */
const PRESSURE_MS = 50;

/**
 * Makes the JavaScript engine collect garbage: a large buffer, of which no page is ever touched, counts
 * as memory in use. V8 then marks what is in use in steps, beside other work, and the rest is free after
 * a pause of a few ms; told to collect, it would do all of that at once.
 */
async function collect(): Promise<void> {
  const buffer = untouchedBuffer(PRESSURE_BYTES + 4 * bytesInUse());
  await new Promise<void>((resolve) => collecting = after(PRESSURE_MS, resolve));
  // Not kept until that is collected in turn; Node.js 20 cannot.
  buffer?.transfer?.(0);
  await new Promise<void>((resolve) => collecting = after(SWEEP_MS, resolve));
}

/** A buffer, or a part of it where a process may not have so many addresses. */
function untouchedBuffer(bytes: number): Transferable | undefined {
  for (let part = bytes; part > PRESSURE_BYTES / 8; part = Math.floor(part / 2)) {
    try {
      return new ArrayBuffer(part);
    } catch {
      // A smaller one may do.
    }
  }
  return undefined;
}

/** A buffer that can be given back at once, where the runtime can do that. */
type Transferable = ArrayBuffer & { transfer?(bytes: number): ArrayBuffer };

function findTrim(): Means["trim"] {
  const { Deno: deno } = globalThis as unknown as { Deno?: DenoFfi };
  try {
    if (deno?.build.os !== "linux") return undefined;
    if (deno.permissions.querySync({ name: "ffi" }).state !== "granted") return undefined;
    const malloc_trim = { parameters: ["usize"], result: "i32", nonblocking: true };
    const open = () => deno.dlopen("libc.so.6", { malloc_trim });
    open().close();
    return async () => {
      const library = open();
      await library.symbols.malloc_trim(0n);
      library.close();
    };
  } catch {
    return undefined; // Another C library.
  }
}
