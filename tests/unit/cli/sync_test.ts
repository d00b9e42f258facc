import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { PointChecksum } from "../../../src/cli/sync/point_checksum.ts";
import { untilAborted } from "../../../src/core/call.ts";
import { collectionTree } from "../../../src/cli/terminal/collection_tree.ts";
import { progressLine } from "../../../src/cli/terminal/progress.ts";
import { rough } from "../../../src/cli/terminal/format.ts";
import { properties, table, visibleWidth } from "../../../src/cli/terminal/print_table.ts";
import { makeStyle, movesCursor, showsColors } from "../../../src/cli/terminal/style.ts";
import { withEscapes } from "../../../src/plot/sgr.ts";
import { comparePoints } from "../../../src/cli/sync/compare_points.ts";
import { connect, type RawColumns } from "../../../mod.ts";
import { serve } from "@btrdb/btrdb/server";
import { CliError } from "../../../src/cli/errors.ts";
import { copyStream } from "../../../src/cli/sync/copy.ts";
import type { NamedStream } from "../../../src/cli/words/stream_names.ts";
import { endpointOf } from "../../../src/client/endpoint_of.ts";
import { override } from "../../support/override_endpoint.ts";
import { concatRaw, sliceRaw } from "../../../src/core/columns.ts";
import { differentRanges } from "../../../src/cli/sync/different_ranges.ts";
import { Follower } from "../../../src/cli/sync/follower.ts";

function points(...pairs: [number, number][]): RawColumns {
  return {
    times: BigInt64Array.from(pairs, ([time]) => BigInt(time)),
    values: Float64Array.from(pairs, ([, value]) => value),
  };
}

Deno.test("comparePoints: multisets, duplicates, bits", () => {
  const cases: [RawColumns, RawColumns, RawColumns, RawColumns][] = [
    [points(), points(), points(), points()],
    [points([1, 1]), points(), points([1, 1]), points()],
    [points([1, 1], [2, 2]), points([1, 1], [3, 3]), points([2, 2]), points([3, 3])],
    [points([1, 1], [1, 1]), points([1, 1]), points([1, 1]), points()],
    [points([1, 1], [1, 2]), points([1, 2], [1, 1]), points(), points()],
    [points([1, 0]), points([1, -0]), points([1, 0]), points([1, -0])],
    [
      points([1, 1], [1, 2], [1, 1]),
      points([1, 1], [1, 3]),
      points([1, 2], [1, 1]),
      points([1, 3]),
    ],
  ];
  for (const [a, b, onlyA, onlyB] of cases) assertEquals(comparePoints(a, b), { onlyA, onlyB });
});

Deno.test("PointChecksum: order does not count, everything else does", () => {
  const sum = (...parts: RawColumns[]): string => {
    const checksum = new PointChecksum();
    for (const part of parts) checksum.add(part);
    return `${checksum} ${checksum.count}`;
  };
  const all = points([1, 1], [2, 2], [2, 3]);
  assertEquals(sum(all), sum(points([2, 3]), points([1, 1], [2, 2])));
  assertEquals(sum(points()), "0000000000000000 0");
  for (
    const other of [
      points([1, 1], [2, 2]),
      points([1, 2], [2, 1], [2, 3]),
      points([1, 1], [2, 2], [3, 3]),
    ]
  ) {
    assertNotEquals(sum(all), sum(other));
  }
  assertNotEquals(sum(points([1, 0])), sum(points([1, -0])));
  const view = { times: all.times.subarray(1), values: all.values.subarray(1) };
  assertEquals(sum(view), sum(points([2, 2], [2, 3])));
});

Deno.test("differentRanges: only where points differ, statistics or not", async () => {
  await using db = await connect("memory:");
  const a = await db.create(crypto.randomUUID(), "a");
  const b = await db.create(crypto.randomUUID(), "b");
  const n = 300_000;
  const times = BigInt64Array.from({ length: n }, (_, i) => BigInt(i) * 1_000_000n);
  const values = Float64Array.from({ length: n }, (_, i) => i % 17);
  await a.insert({ times, values });
  const signal = new AbortController().signal;
  const find = (
    exact: boolean,
  ): Promise<{ countA: bigint; countB: bigint; start: bigint; end: bigint }[]> =>
    Array.fromAsync(differentRanges(a, b, { exact, signal }));
  const missing = await find(false);
  assertEquals(missing.reduce((sum, { countA }) => sum + countA, 0n), BigInt(n));
  assert(missing.every(({ countB }) => countB === 0n));
  const changed = values.slice();
  [changed[200_000], changed[200_001]] = [changed[200_001]!, changed[200_000]!];
  await b.insert({ times, values: changed });
  assertEquals(await find(false), [], "the statistics are the same");
  const exact = await find(true);
  assertEquals(exact.length, 1);
  assert(exact[0]!.start <= times[200_000]! && exact[0]!.end > times[200_001]!);
});

Deno.test("Follower: new points once, late ones and duplicates too", async () => {
  await using db = await connect("memory:");
  const stream = await db.create(crypto.randomUUID(), "a");
  await stream.insert([[10n, 1], [20n, 2]]);
  const follower = await Follower.start(stream, new AbortController().signal);
  const poll = async (): Promise<[bigint, number][]> => {
    const { times, values } = await follower.poll();
    return Array.from(times, (time, i) => [time, values[i]!]);
  };
  assertEquals(await poll(), []);
  await stream.insert([[30n, 3]]);
  assertEquals(await poll(), [[30n, 3]]);
  await stream.insert([[15n, 9], [30n, 3]]);
  assertEquals(await poll(), [[15n, 9], [30n, 3]]);
  await stream.flush();
  assertEquals(await poll(), []);
  await stream.insert([[40n, 4]]);
  await stream.flush();
  await stream.insert([[5n, 5]]);
  assertEquals(await poll(), [[5n, 5], [40n, 4]]);
  await stream.deleteRange(0n, 100n);
  assertEquals(await poll(), []);
  await stream.insert([[50n, 6]]);
  assertEquals(await poll(), [[50n, 6]]);
});

// `tail -f` of a stream that was made anew, or of a server that had once told a version of 2^60,
// printed nothing any more, and did not say why.
Deno.test("Follower: a version that goes back is an error", async () => {
  await using db = await connect("memory:");
  const real = endpointOf(db);
  let major: bigint | undefined;
  const told = override(real, {
    async streamInfo(request, options) {
      const info = await real.streamInfo(request, options);
      if (info.version !== undefined && major !== undefined) info.version = { major, minor: 0n };
      return info;
    },
  });
  await using server = await serve(told, { port: 0 });
  await using client = await connect(`127.0.0.1:${server.port}`);
  const { uuid } = await db.create(crypto.randomUUID(), "a");
  major = 2n ** 60n;
  const follower = await Follower.start(client.streamFromUUID(uuid), new AbortController().signal);
  major = 12n;
  await assertRejects(
    () => follower.poll(),
    CliError,
    `Cannot follow ${uuid}: its version was 1152921504606846976 and is 12 now`,
  );
});

Deno.test("untilAborted: ends while the source has nothing to give", async () => {
  const controller = new AbortController();
  let closed = false;
  async function* source(): AsyncGenerator<number> {
    try {
      yield 1;
      await new Promise(() => {});
    } finally {
      closed = true;
    }
  }
  const seen: number[] = [];
  const reason = new Error("stop");
  const work = (async () => {
    for await (const n of untilAborted(source(), controller.signal)) {
      seen.push(n);
      setTimeout(() => controller.abort(reason), 1);
    }
  })();
  assertEquals(await work.catch((error) => error), reason);
  assertEquals([seen, closed], [[1], false]);
});

Deno.test("collectionTree, table, progressLine: as people see them", () => {
  const style = makeStyle(false);
  assertEquals(
    collectionTree(["a", "a/b/c", "a/d", "e/f"], style),
    "a\n├── b/\n│   └── c\n└── d\ne/\n└── f\n",
  );
  assertEquals(
    table([{ title: "name" }, { title: "n", right: true }], [["x", "1,000"], ["long", "2"]], style),
    "name      n\nx     1,000\nlong      2\n",
  );
  // Wide characters take two columns, combining ones none.
  assertEquals(
    table([{ title: "名" }, { title: "n" }], [["变电站", "1"], ["e\u0301", "2"]], style),
    "名      n\n变电站  1\né       2\n".normalize("NFD"),
  );
  assertEquals(properties([["变", "1"], ["ab", "2"]], style), "变  1\nab  2\n");
  assertEquals(withEscapes(makeStyle(true).red("x")), "\x1b[31mx\x1b[39m");
  assertEquals([rough(999), rough(1234), rough(2_500_000), rough(0.4)], [
    "999",
    "1.23 k",
    "2.5 M",
    "0",
  ]);
  const line = progressLine(
    "Copying",
    { points: 5_000_000, bytes: 1e6, part: 0.25 },
    5,
    0,
    undefined,
  );
  assertEquals(line, "Copying 25 %  5 M points  1 M points/s  1 MB  15 s left");
  const resumed = progressLine("Copying", { points: 100, part: 0.75 }, 10, 0.5, 79);
  assertEquals(resumed, "Copying ███████████████░░░░░ 75 %  100 points  10 points/s  10 s left");
  assertEquals(progressLine("Reading", { points: 1 }, 0, 0, 79), "Reading  1 points");
});

// The line of an import had 90 characters. In 80 columns it went on in the next row, and each of its ten
// rewrites a second left a row behind, so that the terminal filled up with them.
Deno.test("progressLine: fits its terminal, whatever the label and the width", () => {
  const state = { points: 1_234_567, bytes: 123_456_789, part: 0.5 };
  const shown = (label: string, columns: number) => progressLine(label, state, 5, 0, columns);
  const rest = " 50 %  1.23 M points  247 k points/s  123 MB  5 s left";
  assertEquals(
    shown("Importing a.csv", 100),
    `Importing a.csv ${"█".repeat(10)}${"░".repeat(10)}${rest}`,
  );
  const short = ` ${"█".repeat(5)}${"░".repeat(5)}${rest}`;
  assertEquals(shown("Importing a.csv", 82), `Importing a.csv${short}`);
  assertEquals(shown("Importing a.csv", 79), `Importing a.c…${short}`);
  assertEquals(shown("Importing a.csv", 72), `Importing a.csv${rest}`);
  assertEquals(shown(`Importing ${"long/".repeat(30)}a.csv`, 79), `Importing lon…${short}`);
  assertEquals(shown("Importing 变电站变电站变电站变电站.csv", 79), `Importing 变…${short}`);
  for (
    const label of ["Importing a.csv", "变".repeat(99), "e\u0301".repeat(99), "\x1b[2J\n".repeat(9)]
  ) {
    for (let columns = 1; columns < 120; columns++) {
      const line = shown(label, columns);
      assert(visibleWidth(line) <= columns, `${columns}: ${line}`);
      assert(columns < 20 || /^.{9}/.test(line));
    }
  }
});

// An error had colours on a terminal that says it is dumb, and so had each rewrite of a line of progress:
// there, such sequences are shown as they are.
Deno.test("showsColors, movesCursor: not on a dumb terminal, in a file, or where it is forbidden", () => {
  const [terminal, file] = [true, false].map((is) => ({ isTerminal: () => is })) as [
    Output,
    Output,
  ];
  // The variables of this process are those of all tests that run beside.
  const xterm = new Map([["TERM", "xterm"]]);
  assertEquals([movesCursor(terminal, xterm), movesCursor(file, xterm)], [true, false]);
  assertEquals(
    [showsColors(terminal, false, xterm), showsColors(file, false, xterm)],
    [true, false],
  );
  assertEquals(showsColors(terminal, true, xterm), false);
  const plain = new Map([...xterm, ["NO_COLOR", "1"]]);
  assertEquals([showsColors(terminal, false, plain), movesCursor(terminal, plain)], [false, true]);
  const dumb = new Map([["TERM", "dumb"]]);
  assertEquals([showsColors(terminal, false, dumb), movesCursor(terminal, dumb)], [false, false]);
});

interface Output {
  isTerminal(): boolean;
}

Deno.test("copyStream: a destination that drops points as it commits them is not called the same", async () => {
  // A 4.15 server keeps 1,024 points within 4 ns; until the flush it shows all of them.
  await using from = await connect("memory:");
  await using behind = await connect("memory:");
  const real = endpointOf(behind);
  const crowd = { start: 4n, end: 8n };
  const lossy = new Proxy(real, {
    get(target, name) {
      if (name !== "flush") {
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return async (uuid: Uint8Array) => {
        const version = await target.flush(uuid);
        const all = [];
        for await (const { columns } of target.rawValues({ uuid, version: 0n, ...crowd })) {
          all.push(columns);
        }
        const kept = sliceRaw(concatRaw(all), 0, 1024);
        await target.deleteRange({ uuid, ...crowd });
        await target.insert({ uuid, columns: kept });
        await target.flush(uuid);
        return version;
      };
    },
  });
  await using server = await serve(lossy, { port: 0 });
  await using to = await connect(`127.0.0.1:${server.port}`);
  const stream = await from.create(crypto.randomUUID(), "crowd", { tags: { name: "s" } });
  await stream.insert({
    times: new BigInt64Array(1_500).fill(5n),
    values: Float64Array.from({ length: 1_500 }, (_, i) => i),
  });
  const options = {
    signal: new AbortController().signal,
    overwrite: false,
    verify: true,
    onPoints: () => {},
  };
  const named = { stream, uuid: stream.uuid, collection: "crowd", name: "s", path: "crowd/s" };
  const error = await assertRejects(() => copyStream(named as NamedStream, to, options), CliError);
  assertEquals(
    error.message,
    "The copy of crowd/s is not the same as its source: the destination keeps 1024 of the 1500 " +
      "points at 1970-01-01T00:00:00.000000004Z, 476 are lost",
  );
});

// A source whose windows had 300 points, but that gave 200 of them to every question, was copied with a
// checksum, as if it had no more.
Deno.test("copyStream: points that a source has by its windows and does not give are missed", async () => {
  await using behind = await connect("memory:");
  const real = endpointOf(behind);
  const miserly = override(real, {
    async *rawValues(request, options) {
      for await (const { version, columns } of real.rawValues(request, options)) {
        const n = columns.times.findIndex((time) => time >= 200n);
        yield { version, columns: n < 0 ? columns : sliceRaw(columns, 0, n) };
      }
    },
  });
  const stream = await behind.create(crypto.randomUUID(), "c", { tags: { name: "s" } });
  await stream.insert({
    times: BigInt64Array.from({ length: 300 }, (_, i) => BigInt(i)),
    values: new Float64Array(300),
  });
  await stream.flush();
  await using server = await serve(miserly, { port: 0 });
  await using from = await connect(`127.0.0.1:${server.port}`);
  const { uuid } = stream;
  // Two servers that both keep the same points to themselves were called the same.
  const [one, another] = [from.streamFromUUID(uuid), from.streamFromUUID(uuid)];
  const comparing = { exact: true, signal: new AbortController().signal };
  await assertRejects(
    () => Array.fromAsync(differentRanges(one, another, comparing)),
    CliError,
    "but by their windows there are 300",
  );
  const named = {
    stream: from.streamFromUUID(uuid),
    uuid,
    collection: "c",
    name: "s",
    path: "c/s",
  };
  for (const verify of [true, false]) {
    await using to = await connect("memory:");
    const signal = new AbortController().signal;
    const options = { signal, overwrite: false, verify, onPoints: () => {} };
    await assertRejects(
      () => copyStream(named as NamedStream, to, options),
      CliError,
      "The copy of c/s has the 200 points that its source gives, but by its windows the source has 300",
    );
  }
});
