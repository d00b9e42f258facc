import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { RawColumns } from "../../../src/core/columns.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import {
  type CsvAnswer,
  csvOpener,
  type CsvRequest,
  openCsv,
  SERVER_FORMAT,
} from "../../../src/csv/answer.ts";
import type { RawChunk } from "../../../src/endpoint/endpoint.ts";
import { mergeTimes } from "../../../src/kernel/mod.ts";
import { toRaw } from "../../support/columns_arbitrary.ts";
import { CountedTurns } from "../../support/counted_turns.ts";
import { referenceRows } from "../../support/csv_reference.ts";
import { scriptedEndpoint, streamed } from "../../support/grpc/scripted_endpoint.ts";

const TIMES = ["Timestamp (ns)", "Human-Readable Time (UTC)"];
const FORMAT = { numbers: "shortest", timeDigits: 0 } as const;

function request(streams: number, includeVersions = false): CsvRequest {
  return {
    query: { type: "raw" },
    start: 0n,
    end: 10n,
    includeVersions,
    streams: Array.from({ length: streams }, (_, s) => ({
      uuid: new Uint8Array(16).fill(s),
      label: `s${s}`,
      version: 0n,
    })),
  };
}

const chunk = (columns: RawColumns, major = 11n): RawChunk => ({
  version: { major, minor: 0n },
  columns,
});

/** An endpoint whose stream number s has `all[s]`, in chunks of `size` points. */
function holding(all: readonly RawColumns[], size: number) {
  return scriptedEndpoint({
    rawValues({ uuid }) {
      const { times, values } = all[uuid[0]!]!;
      const chunks = [chunk(toRaw([]))];
      for (let at = 0; at < times.length; at += size) {
        chunks.push(chunk({
          times: times.slice(at, at + size),
          values: values.slice(at, at + size),
        }));
      }
      return streamed(...chunks);
    },
  });
}

async function textOf(answer: CsvAnswer): Promise<string> {
  let text = "";
  for await (const piece of answer.bytes(FORMAT)) text += new TextDecoder().decode(piece);
  return text;
}

Deno.test("openCsv: batches of any size, empty ones too, are merged into the rows of the whole", async () => {
  const all = [300, 0, 77, 1].map((n, s) =>
    toRaw(Array.from({ length: n }, (_, i) => [BigInt(i * (s + 1) - (i % 3)), i / 8] as const))
  );
  all.forEach(({ times }) => times.sort());
  for (const size of [1, 3, 64, 1000]) {
    const asked = request(all.length);
    await using answer = await openCsv(asked, csvOpener(holding(all, size), asked));
    const text = await textOf(answer);
    assertStrictEquals(text, referenceRows(all, "shortest", 0));
    assertEquals(answer.count, text.split("\n").length - 1);
  }
});

Deno.test("openCsv: the header tells the version that answered, 0 where none did", async () => {
  const endpoint = scriptedEndpoint({
    rawValues({ uuid }) {
      if (uuid[0] === 1) throw new BTrDBError("stream not found", { code: 404 });
      return streamed(chunk(toRaw([[1n, 1]]), 10n + BigInt(uuid[0]!)));
    },
  });
  const asked = request(3, true);
  await using answer = await openCsv(asked, csvOpener(endpoint, asked));
  assertEquals([...answer.names()], [...TIMES, "s0, ver. 10", "s1, ver. 0", "s2, ver. 12"]);
  assertEquals((answer.failure as BTrDBError).code, 404);
  await assertRejects(() => answer.bytes(FORMAT).next(), BTrDBError, "stream not found");
});

// A call on 10,000 streams that do not exist made 10,000 errors: 190 ms of CPU a call.
Deno.test("openCsv: after a failure no more queries start, unless the header tells their versions", async () => {
  for (const [includeVersions, most] of [[false, 100], [true, 200]] as const) {
    let started = 0;
    const endpoint = scriptedEndpoint({
      rawValues() {
        started++;
        throw new BTrDBError("stream not found", { code: 404 });
      },
    });
    const asked = request(200, includeVersions);
    await using answer = await openCsv(asked, csvOpener(endpoint, asked));
    assertEquals((answer.failure as BTrDBError).code, 404);
    assertEquals([...answer.names()].length, 202);
    assert(includeVersions ? started === most : started <= most, `${started} were started`);
  }
});

// The 40,000 names of 10,000 streams of windows were made at once, when all queries had answered, and each
// collection of garbage copied them: 14 ms of CPU time in a turn of the event loop.
Deno.test("openCsv: names are made when they are asked for", async () => {
  let read = 0;
  const asked = {
    ...request(0),
    query: { type: "aligned", pointwidth: 40 } as const,
    streams: Array.from({ length: 1_000 }, (_, s) => ({
      uuid: new Uint8Array(16),
      version: 0n,
      get label() {
        read++;
        return `s${s}`;
      },
    })),
  };
  const endpoint = scriptedEndpoint({
    alignedWindows() {
      throw new BTrDBError("stream not found", { code: 404 });
    },
  });
  await using answer = await openCsv(asked, csvOpener(endpoint, asked));
  await assertRejects(() => answer.bytes(FORMAT).next(), BTrDBError, "stream not found");
  assertEquals(read, 0);
  const names = answer.names();
  const first = Array.from({ length: 7 }, () => names.next().value);
  const windows = ["Min", "Mean", "Max", "Count"].map((name) => `s0 (${name})`);
  assertEquals(first, [...TIMES, ...windows, "s1 (Min)"]);
  assertEquals(read, 2);
});

Deno.test("openCsv: without streams there is only the header", async () => {
  const asked = { ...request(0), query: { type: "aligned", pointwidth: 99 } as const };
  await using answer = await openCsv(asked, csvOpener(scriptedEndpoint({}), asked));
  assertEquals([...answer.names()], TIMES);
  assertEquals(await textOf(answer), "");
});

Deno.test("openCsv: a server's format has six decimals and whole seconds", async () => {
  const all = [toRaw([[-1n, 0.5], [2n, 1e300]]), toRaw([[2n, -0]])];
  const asked = request(2);
  await using answer = await openCsv(asked, csvOpener(holding(all, 9), asked));
  const [piece] = await Array.fromAsync(answer.bytes(SERVER_FORMAT));
  assertEquals(
    new TextDecoder().decode(piece),
    "-1,1969-12-31T23:59:59Z,0.500000,\n" +
      `2,1970-01-01T00:00:00Z,${BigInt(1e300)}.000000,-0.000000\n`,
  );
});

/** An endpoint that counts how many of its queries are running; stream 1 fails after one batch. */
function counting() {
  const state = { running: 0 };
  const endpoint = scriptedEndpoint({
    async *rawValues({ uuid }) {
      state.running++;
      try {
        for (let i = 0n;; i++) {
          await Promise.resolve();
          if (uuid[0] === 1 && i === 1n) throw new BTrDBError("lost", { status: "UNAVAILABLE" });
          yield chunk(toRaw([[i, 1]]));
        }
      } finally {
        state.running--;
      }
    },
  });
  return { state, endpoint };
}

Deno.test("openCsv: whoever stops reading stops all queries", async () => {
  const { state, endpoint } = counting();
  const asked = { ...request(1), streams: [request(1).streams[0]!, request(1).streams[0]!] };
  const answer = await openCsv(asked, csvOpener(endpoint, asked));
  assertEquals(state.running, 2);
  for await (const _ of answer.bytes(FORMAT)) break;
  assertEquals(state.running, 0);
  await answer.close();
});

Deno.test("openCsv: a query that fails on the way stops the others", async () => {
  const { state, endpoint } = counting();
  const asked = request(3);
  await using answer = await openCsv(asked, csvOpener(endpoint, asked));
  assertEquals(answer.failure, undefined);
  await assertRejects(() => textOf(answer), BTrDBError, "lost");
  assertEquals(state.running, 0);
});

Deno.test("openCsv: an abort while the queries start stops them and gives its reason", async () => {
  const { state, endpoint } = counting();
  const controller = new AbortController();
  const asked = request(1);
  const opening = openCsv(asked, csvOpener(endpoint, asked), controller.signal);
  controller.abort("enough");
  assertStrictEquals(await opening.catch((reason) => reason), "enough");
  assertEquals(state.running, 0);
  assertStrictEquals(
    await openCsv(asked, csvOpener(endpoint, asked), controller.signal).catch((r) => r),
    "enough",
  );
});

Deno.test("openCsv: a piece that is taken without a copy is right while it is taken", async () => {
  const n = 60_000;
  const columns = { times: new BigInt64Array(n), values: new Float64Array(n).fill(0.25) };
  const asked = request(1);
  await using answer = await openCsv(asked, csvOpener(holding([columns], 7000), asked));
  let text = "";
  const take = (view: Uint8Array) => {
    text += new TextDecoder().decode(view);
    return Promise.resolve(text.length);
  };
  const lengths: number[] = [];
  for await (const length of answer.pour(FORMAT, take)) {
    lengths.push(length);
    mergeTimes([columns.times]); // someone else uses the memory of the kernel
  }
  assertStrictEquals(text, "0,1970-01-01T00:00:00Z,0.25\n".repeat(n));
  assertEquals(lengths.at(-1), text.length);
});

// The ends of 10,000 streams came in one turn of the event loop, 25 ms.
Deno.test("CsvAnswer: batches of thousands of streams give way", async () => {
  const streams = 3_000;
  using turns = new CountedTurns(0.05);
  const endpoint = scriptedEndpoint({
    rawValues: () => {
      let asked = 0;
      return {
        next() {
          turns.add();
          const value = chunk(toRaw([[1n, 1]]));
          return Promise.resolve(asked++ === 0 ? { done: false, value } : END);
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
  });
  const asked = { ...request(0), streams: Array(streams).fill(request(1).streams[0]!) };
  await using answer = await openCsv(asked, csvOpener(endpoint, asked));
  await textOf(answer);
  const all = turns.work.reduce((sum, n) => sum + n, 0);
  assert(all > streams, `${all} times`);
  // 4 ms, and what 64 at a time do before they look at the clock again.
  assert(Math.max(...turns.work) <= 150, `${turns.work}`);
});

const END = { done: true, value: undefined } as const;
