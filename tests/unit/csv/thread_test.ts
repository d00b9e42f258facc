/** CSV whose rows are made in a thread of their own. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import {
  concatRaw,
  concatStat,
  type RawColumns,
  type StatColumns,
} from "../../../src/core/columns.ts";
import { type CsvRequest, openCsv, SERVER_FORMAT } from "../../../src/csv/answer.ts";
import type { Chunk } from "../../../src/endpoint/endpoint.ts";
import { formatCsv } from "../../../src/kernel/format_csv.ts";

const version = { major: 1n, minor: 0n };
/** An answer that has not found its thread after so many bytes never will. */
const MAX_BYTES = 400e6;
/** After so many bytes an answer that waits for its thread goes on slowly. */
const LATE_BYTES = 32e6;

type Columns = RawColumns | StatColumns;

/** `n` points or windows from `at` on, `step` apart, in pieces of one buffer or each in its own. */
function points(kind: "raw" | "windows", at: bigint, step: bigint, n: number): Columns {
  const times = BigInt64Array.from({ length: n }, (_, i) => at + BigInt(i) * step);
  const doubles = (k: number) => Float64Array.from(times, (time) => Number(time % 1000n) / k);
  if (kind === "raw") return { times, values: doubles(7) };
  const count = BigUint64Array.from(times, (time) => BigInt.asUintN(64, time));
  return { times, min: doubles(3), mean: doubles(7), max: doubles(9), count };
}

/** The same columns as views of buffers that hold more. */
function asViews<C extends Columns>(columns: C): C {
  const entries = Object.entries(columns).map(([name, column]) => {
    const around = structuredClone(column.buffer).transfer(column.byteLength + 16);
    const Column = column.constructor as BigInt64ArrayConstructor;
    const view = new Column(around, 8, column.length);
    view.set(column as BigInt64Array);
    return [name, view];
  });
  return Object.fromEntries(entries) as C;
}

/** An answer of streams that go on until the thread works, and a while longer. */
class LongAnswer {
  readonly given: Columns[][];
  /** True if a piece has come from the thread: it does not lie in the memory of the kernel. */
  inThread = false;
  readonly #kind: "raw" | "windows";
  readonly #steps: readonly bigint[];
  #bytes = 0;

  constructor(kind: "raw" | "windows", steps: readonly bigint[]) {
    this.#kind = kind;
    this.#steps = steps;
    this.given = steps.map(() => []);
  }

  get isOver(): boolean {
    return this.#bytes > MAX_BYTES;
  }

  async *chunks(s: number): AsyncGenerator<Chunk<RawColumns | StatColumns>, void, undefined> {
    const step = this.#steps[s]!;
    const size = 5_000 * (s + 1);
    let at = BigInt(s);
    for (let more = 20; more > 0 && !this.isOver; more -= this.inThread ? 1 : 0) {
      const columns = points(this.#kind, at, step, size);
      this.given[s]!.push(columns);
      // What is given belongs to the receiver.
      const own = structuredClone(columns);
      yield { version, columns: more % 2 === 0 ? asViews(own) : own };
      at += step * BigInt(size);
      // A thread may need seconds to start on a busy machine.
      const isLate = !this.inThread && this.#bytes > LATE_BYTES;
      await new Promise((resolve) => setTimeout(resolve, isLate ? 20 : 0));
    }
  }

  notice(view: Uint8Array): void {
    this.#bytes += view.length;
    this.inThread ||= view.byteOffset === 0;
  }

  request(): CsvRequest {
    const streams = this.#steps.map((_, s) => {
      return { uuid: new Uint8Array(16).fill(s), label: `s${s}`, version: 0n };
    });
    const query = this.#kind === "raw"
      ? { type: "raw" as const }
      : { type: "aligned" as const, pointwidth: 30 };
    return { query, start: 0n, end: 1n << 60n, includeVersions: false, streams };
  }

  /** The text as it is made without a thread. */
  expected(): Uint8Array {
    const streams = this.given.map((batches, s) => {
      const columns = this.#kind === "raw"
        ? concatRaw(batches as RawColumns[])
        : concatStat(batches as StatColumns[]);
      return { label: `s${s}`, columns };
    });
    return formatCsv(streams, { ...SERVER_FORMAT, header: false });
  }

  /** Reads the answer with `take` after each piece; what was read. */
  async read(take: () => unknown = () => {}): Promise<{ bytes: Uint8Array; rows: number }> {
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    await using answer = await openCsv(this.request(), ({ uuid }) => this.chunks(uuid[0]!));
    const poured = answer.pour(SERVER_FORMAT, (view) => {
      this.notice(view);
      pieces.push(view.slice());
      return take();
    }, true);
    for await (const _ of poured) await new Promise((resolve) => setTimeout(resolve, 0));
    return { bytes: await new Blob(pieces).bytes(), rows: answer.count };
  }
}

function rowsOf(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + (byte === 10 ? 1 : 0), 0);
}

Deno.test("openCsv in a thread: the same bytes as without a thread: points and windows, at the same times and others", async () => {
  const apart = [10n, 25n, 1000n];
  for (const [kind, steps] of [["raw", [10n, 10n]], ["raw", apart], ["windows", apart]] as const) {
    const long = new LongAnswer(kind, steps);
    const { bytes, rows } = await long.read();
    assert(long.inThread);
    const expected = long.expected();
    assert(Buffer.compare(bytes, expected) === 0, `${kind}, ${steps}`);
    assertEquals(rows, rowsOf(expected));
  }
});

Deno.test("openCsv in a thread: a query that fails while the thread works fails the answer", async () => {
  const long = new LongAnswer("raw", [10n, 10n]);
  const chunks = long.chunks.bind(long);
  long.chunks = async function* (s) {
    for await (const chunk of chunks(s)) {
      if (long.inThread && s === 1) throw new Error("the query broke");
      yield chunk;
    }
  };
  await assertRejects(() => long.read(), Error, "the query broke");
});

Deno.test("openCsv in a thread: who takes the pieces can fail, or stop, and nothing goes on", async () => {
  const failing = new LongAnswer("raw", [10n]);
  const fail = () => {
    if (failing.inThread) throw new Error("the disk is full");
  };
  await assertRejects(() => failing.read(fail), Error, "the disk is full");

  const stopped = new LongAnswer("raw", [10n]);
  await using answer = await openCsv(stopped.request(), ({ uuid }) => stopped.chunks(uuid[0]!));
  for await (const _ of answer.pour(SERVER_FORMAT, (view) => stopped.notice(view), true)) {
    if (stopped.inThread) break;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert(stopped.inThread);
});

Deno.test("openCsv in a thread: pieces are waited for: a slow sink is not overrun", async () => {
  const long = new LongAnswer("raw", [10n]);
  let open = 0;
  const { bytes } = await long.read(async () => {
    assertEquals(++open, 1);
    await new Promise((resolve) => setTimeout(resolve, 1));
    open--;
  });
  assertEquals(Buffer.compare(bytes, long.expected()), 0);
});

Deno.test("openCsv in a thread: where there are no workers, or none that starts, the same bytes come without", async () => {
  const own = globalThis.Worker;
  const broken = class extends own {
    constructor() {
      super(new URL("./there_is_no_such_worker.ts", import.meta.url), { type: "module" });
    }
  };
  const refusing = function () {
    throw new TypeError("Workers are not allowed here");
  } as unknown as typeof Worker;
  try {
    for (const worker of [undefined, refusing, broken]) {
      globalThis.Worker = worker as typeof Worker;
      const long = new LongAnswer("raw", [10n]);
      const chunks = long.chunks.bind(long);
      let sent = 0;
      long.chunks = async function* (s) {
        for await (const chunk of chunks(s)) {
          if (sent++ > 60) return;
          yield chunk;
        }
      };
      const { bytes } = await long.read();
      assert(!long.inThread);
      assert(bytes.length > 10e6);
      long.given[0]!.length = 61;
      assertEquals(Buffer.compare(bytes, long.expected()), 0);
    }
  } finally {
    globalThis.Worker = own;
  }
});

Deno.test("openCsv in a thread: for more than 64 streams, which would take much memory, no thread is started", async () => {
  const own = globalThis.Worker;
  let started = 0;
  globalThis.Worker = class extends own {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      started++;
    }
  };
  try {
    for (const streams of [64, 65]) {
      started = 0;
      const long = new LongAnswer("raw", new Array<bigint>(streams).fill(10n));
      long.chunks = async function* (s) {
        for (let at = 0n; at < 30_000n; at += 1_000n) {
          yield await Promise.resolve({ version, columns: points("raw", at * 10n, 10n, 1_000) });
        }
        assert(s < streams);
      };
      const { bytes } = await long.read();
      assert(bytes.length > 10e6);
      assertEquals(started, streams === 64 ? 1 : 0);
    }
  } finally {
    globalThis.Worker = own;
  }
});
