import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { BTrDBError, ErrorCode } from "../../../src/core/errors.ts";
import type { RawColumns } from "../../../src/core/columns.ts";
import type { RawChunk } from "../../../src/endpoint/endpoint.ts";
import { mergedRows, snap } from "../../../src/server/btrdb/merged_rows.ts";
import { CountedTurns } from "../../support/counted_turns.ts";
import { scriptedEndpoint, streamed } from "../../support/grpc/scripted_endpoint.ts";

type Points = [time: number, value: number][];

function columns(points: Points): RawColumns {
  return {
    times: BigInt64Array.from(points, ([time]) => BigInt(time)),
    values: Float64Array.from(points, ([, value]) => value),
  };
}

/** Points cut into chunks of the given size, as an endpoint would stream them. */
function chunked(points: Points, size: number): RawChunk[] {
  const version = { major: 11n, minor: 0n };
  const chunks: RawChunk[] = [];
  for (let at = 0; at < points.length; at += size) {
    chunks.push({ version, columns: columns(points.slice(at, at + size)) });
  }
  return chunks.length === 0 ? [{ version, columns: columns([]) }] : chunks;
}

async function merge(streams: readonly Points[], size: number, periodNs = 0n): Promise<string[]> {
  const endpoint = scriptedEndpoint({
    rawValues: ({ uuid }) => streamed(...chunked(streams[uuid[0]!]!, size + uuid[0]!)),
  });
  const uuids = streams.map((_, s) => new Uint8Array(16).fill(s));
  const request = { uuids, versions: [], start: 0n, end: 100n, periodNs };
  const rows: string[] = [];
  for await (const { times, values } of mergedRows(endpoint, request, {})) {
    times.forEach((time, row) => {
      const cells = values.map((column) => Number.isNaN(column[row]) ? "-" : column[row]);
      rows.push(`${time}: ${cells.join(" ")}`);
    });
  }
  return rows;
}

/** The same by the rule: at each step the earliest time, one point of every stream that has it. */
function plainMerge(streams: readonly Points[]): string[] {
  const at = streams.map(() => 0);
  const rows: string[] = [];
  while (true) {
    const heads = streams.map((points, s) => points[at[s]!]?.[0] ?? Infinity);
    const time = Math.min(...heads, Infinity);
    if (time === Infinity) return rows;
    const cells = streams.map((points, s) => heads[s] === time ? points[at[s]!++]![1] : "-");
    rows.push(`${time}: ${cells.join(" ")}`);
  }
}

const points = fc.array(fc.tuple(fc.integer({ min: -20, max: 40 }), fc.integer()), {
  maxLength: 40,
})
  .map((list) => list.sort((a, b) => a[0] - b[0]) as Points);

Deno.test("mergedRows makes the rows the rule says, however the streams are cut", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(points, { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 7 }),
    async (streams, size) => assertEquals(await merge(streams, size), plainMerge(streams)),
  ));
});

Deno.test("mergedRows on a grid is the merge of the streams on the grid, however they are cut", async () => {
  await fc.assert(fc.asyncProperty(
    fc.array(points, { minLength: 1, maxLength: 3 }),
    fc.integer({ min: 1, max: 7 }),
    fc.integer({ min: 1, max: 12 }),
    async (streams, size, period) => {
      const snapped = streams.map((list) => {
        const places = new Map(
          list.map((
            [time, value],
          ) => [Math.floor((time + Math.floor(period / 2)) / period) * period, value]),
        );
        return [...places] as Points;
      });
      assertEquals(await merge(streams, size, BigInt(period)), plainMerge(snapped));
    },
  ));
});

Deno.test("mergedRows gives one empty batch for streams without points", async () => {
  const endpoint = scriptedEndpoint({ rawValues: () => streamed(...chunked([], 1)) });
  const request = { uuids: [new Uint8Array(16)], versions: [], start: 0n, end: 1n, periodNs: 0n };
  const batches = await Array.fromAsync(mergedRows(endpoint, request, {}));
  assertEquals(batches.map(({ times }) => times.length), [0]);
  assertEquals(batches[0]!.versions, [{ major: 11n, minor: 0n }]);
});

Deno.test("mergedRows stops the queries of who does not read on", async () => {
  let stopped = 0;
  const endpoint = scriptedEndpoint({
    async *rawValues() {
      try {
        for (let i = 0;; i++) yield chunked([[i, i]], 1)[0]!;
      } finally {
        stopped++;
      }
    },
  });
  const uuids = [new Uint8Array(16), new Uint8Array(16)];
  const request = { uuids, versions: [], start: 0n, end: 1n, periodNs: 0n };
  for await (const _ of mergedRows(endpoint, request, {})) break;
  assertEquals(stopped, 2);
});

// A stranger's call named 10,000 streams that do not exist: all of them were opened first, 50 ms of CPU
// a call, and honest calls beside ten such calls a second took four times as long.
Deno.test("mergedRows opens few streams when one of the first does not exist", async () => {
  let opened = 0;
  const endpoint = scriptedEndpoint({
    rawValues: () => {
      opened++;
      // deno-lint-ignore require-yield
      return (async function* () {
        throw new BTrDBError("stream not found", { code: ErrorCode.NoSuchStream });
      })();
    },
  });
  const uuids = Array.from({ length: 10_000 }, () => crypto.getRandomValues(new Uint8Array(16)));
  const request = { uuids, versions: [], start: 0n, end: 100n, periodNs: 0n };
  const failure = await assertRejects(async () => {
    for await (const _ of mergedRows(endpoint, request, {}));
  }, BTrDBError);
  assertEquals(failure.code, ErrorCode.NoSuchStream);
  assert(opened <= 64, `${opened} streams were opened`);
});

Deno.test("snap moves times to the nearest place, half up, before the epoch too", () => {
  const { times, values } = snap(
    columns([[-16, 1], [-15, 2], [-6, 3], [-5, 4], [4, 5], [5, 6]]),
    10n,
  );
  assertEquals([...times], [-20n, -10n, 0n, 10n]);
  assertEquals([...values], [1, 3, 5, 6]);
});

// Where the streams and the reader of a call on thousands of streams were always ready, batch followed
// batch without a look at the sockets: others waited for 20 to 50 ms of CPU time, again and again.
Deno.test("mergedRows lets others go on between its batches", async () => {
  const points: Points = Array.from({ length: 20 }, (_, i) => [i, i]);
  const endpoint = scriptedEndpoint({ rawValues: () => streamed(...chunked(points, 2)) });
  const uuids = [0, 1].map((s) => new Uint8Array(16).fill(s));
  const request = { uuids, versions: [], start: 0n, end: 100n, periodNs: 0n };
  using turns = new CountedTurns(100);
  let batches = 0;
  for await (const _ of mergedRows(endpoint, request, {})) {
    turns.add();
    batches++;
  }
  await new Promise((resolve) => setImmediate(resolve));
  assert(batches >= 5, String(batches));
  assertEquals(turns.work, Array(batches).fill(1));
});
