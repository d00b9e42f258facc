/** Reads that outlive their connection. */

import { assertEquals, assertRejects } from "@std/assert";
import { fromBinary } from "@bufbuild/protobuf";
import { BTrDBError } from "../../../src/core/errors.ts";
import {
  AlignedWindowsParamsSchema,
  ChangesParamsSchema,
  ChangesResponseSchema,
  RawValuesParamsSchema,
  WindowsParamsSchema,
} from "../../../src/gen/btrdb_v4_pb.ts";
import { bytes, raw, v4Server, windows } from "../../support/grpc/scripted_answers.ts";
import { readAll, withScript } from "../../support/grpc/scripted_client.ts";
import { type ScriptedCall, status } from "../../support/grpc/scripted_server.ts";

const uuid = new Uint8Array(16).fill(6);
const gone = () => status(14, "gone");

const POINTS: [bigint, number][] = [[1n, 1], [2n, 2], [5n, 3], [5n, 4], [5n, 5], [5n, 6], [9n, 7]];

/** Raw values from POINTS, broken off after each of `cuts` points in turn. */
function broken(cuts: number[], asked: { start: bigint; version: bigint }[], minor = 0n) {
  return async (call: ScriptedCall) => {
    const { start, end, versionMajor } = fromBinary(RawValuesParamsSchema, call.request);
    asked.push({ start, version: versionMajor });
    const rows = POINTS.filter(([time]) => start <= time && time < end);
    const cut = cuts.shift();
    const sent = rows.slice(0, cut);
    for (let i = 0; i < sent.length; i += 2) await call.send(raw(sent.slice(i, i + 2), 11n, minor));
    if (cut === undefined) return;
    await call.delivered();
    throw gone();
  };
}

Deno.test("readResumable: a broken read goes on at the pinned version, equal times seen once each", async () => {
  for (const build of ["4.15.9-deno", "4.15.9"]) {
    for (let first = 0; first < POINTS.length; first++) {
      const asked: { start: bigint; version: bigint }[] = [];
      const script = v4Server(build, { RawValues: broken([first, 1, 3], asked) });
      await withScript(script, async (endpoint) => {
        const request = { uuid, start: 0n, end: 100n, version: build === "4.15.9" ? 11n : 0n };
        assertEquals(await readAll(endpoint, request), POINTS, `${build}, after ${first}`);
        assertEquals(asked.length, 4);
        if (first > 0) assertEquals(asked[1]!.version, 11n);
      });
    }
  }
});

// A server that sent the same point and broke off, again and again, was asked again without end: each
// repetition counted as progress, and only the retries of the whole connection ran out after a minute.
Deno.test("readResumable: what only repeats itself is no progress", async () => {
  const requests: unknown[] = [];
  const script = v4Server("4.15.9-deno", {
    async RawValues(call) {
      requests.push(call);
      if (requests.length > 40) throw status(3, "asked without end");
      await call.send(raw([[5n, 3]]));
      await call.delivered();
      throw gone();
    },
  });
  await withScript(script, async (endpoint) => {
    const request = { uuid, start: 0n, end: 100n, version: 11n };
    const error = await assertRejects(() => readAll(endpoint, request), BTrDBError);
    assertEquals([error.status, requests.length], ["UNAVAILABLE", 5]);
  });
});

Deno.test("readResumable: a read of unflushed points goes on only while the stream is the same", async () => {
  const asked: { start: bigint; version: bigint }[] = [];
  const same = v4Server("4.15.9-deno", { RawValues: broken([4], asked, 7n) });
  await withScript(same, async (endpoint) => {
    const request = { uuid, start: 0n, end: 100n, version: 0n };
    assertEquals(await readAll(endpoint, request), POINTS);
    assertEquals(asked.map((call) => call.version), [0n, 0n]);
  });
  let minor = 7n;
  const moved = v4Server("4.15.9-deno", { RawValues: (call) => broken([4], [], minor++)(call) });
  await withScript(moved, async (endpoint) => {
    const request = { uuid, start: 0n, end: 100n, version: 0n };
    const error = await assertRejects(() => readAll(endpoint, request), BTrDBError);
    assertEquals([error.status, error.retryable], ["ABORTED", true]);
  });
});

Deno.test("readResumable: a broken read of unflushed points in order of arrival loses none, and sees none twice", async () => {
  // A real server: buffered points as they arrived, before the first stored one with a later time.
  const rows: [bigint, number][] = [
    [100n, 1],
    [200n, 2],
    [250n, 3],
    [50n, 4],
    [50n, 5],
    [300n, 6],
  ];
  const sorted = [...rows].sort(([a], [b]) => Number(a - b));
  for (let first = 1; first < rows.length; first++) {
    for (let second = 1; second < rows.length; second++) {
      const cuts = [first, second];
      const script = v4Server("4.15.9", {
        async RawValues(call) {
          const { start, end } = fromBinary(RawValuesParamsSchema, call.request);
          const cut = cuts.shift();
          for (const row of rows.filter(([time]) => start <= time && time < end).slice(0, cut)) {
            await call.send(raw([row], 11n, 3n));
          }
          if (cut === undefined) return;
          await call.delivered();
          throw gone();
        },
      });
      await withScript(script, async (endpoint) => {
        const request = { uuid, start: 0n, end: 1000n, version: 0n };
        assertEquals(await readAll(endpoint, request), sorted);
      });
    }
  }
});

Deno.test("changes: changed ranges that come late are seen, once each, also when the answer breaks", async () => {
  // A server's walk: (10, 20) was held back while those behind it were sent.
  const messages: [bigint, bigint][][] = [[[0n, 5n], [30n, 40n], [50n, 60n]], [[10n, 20n]], [
    [22n, 25n],
    [70n, 80n],
  ]];
  const wanted = messages.flat().map(([start]) => start);
  for (const cuts of [[], [1], [2], [1, 2], [2, 1], [1, 1, 2]]) {
    const script = v4Server("4.15.9", {
      async Changes(call) {
        const cut = cuts.shift();
        for (const message of messages.slice(0, cut)) {
          const ranges = message.map(([start, end]) => ({ start, end }));
          await call.send(bytes(ChangesResponseSchema, { versionMajor: 15n, ranges }));
        }
        if (cut === undefined) return;
        await call.delivered();
        throw gone();
      },
    });
    await withScript(script, async (endpoint) => {
      const starts: bigint[] = [];
      for await (const chunk of endpoint.changes({ uuid, from: 11n, to: 15n, resolution: 0 })) {
        starts.push(...chunk.starts);
      }
      assertEquals(starts, wanted);
    });
  }
});

Deno.test("changes: each changed range comes once, also between the latest version and its number", async () => {
  // Up to the latest version a server joins more ranges, so that counting them would not do: every
  // range of the broken answer came again.
  const latest: [bigint, bigint][] = [[0n, 20n], [30n, 40n], [50n, 60n]];
  const numbered: [bigint, bigint][] = [[10n, 20n], [0n, 10n], [30n, 40n], [50n, 60n]];
  const asked: bigint[] = [];
  const script = v4Server("4.15.9-deno", {
    async Changes(call) {
      const { toMajor } = fromBinary(ChangesParamsSchema, call.request);
      asked.push(toMajor);
      const first = toMajor === 0n;
      for (const [start, end] of first ? latest.slice(0, 2) : numbered) {
        const part = { versionMajor: 15n, ranges: [{ start, end }] };
        await call.send(bytes(ChangesResponseSchema, part));
      }
      if (!first) return;
      await call.delivered();
      throw gone();
    },
  });
  await withScript(script, async (endpoint) => {
    const found: bigint[][] = [];
    for await (const chunk of endpoint.changes({ uuid, from: 11n, to: 0n, resolution: 0 })) {
      chunk.starts.forEach((start, i) => found.push([start, chunk.ends[i]!]));
    }
    assertEquals(asked, [0n, 15n]);
    assertEquals(found, latest);
  });
});

Deno.test("readResumable: broken windows continue with the next one", async () => {
  const starts: bigint[] = [];
  const script = v4Server("4.15.9-deno", {
    async Windows(call) {
      const { start, end, width } = fromBinary(WindowsParamsSchema, call.request);
      starts.push(start);
      const n = Number((end - start) / width);
      const rows = Array.from(
        { length: n },
        (_, i): [bigint, bigint] => [start + BigInt(i) * width, 1n],
      );
      await call.send(windows(rows.slice(0, 2)));
      if (n <= 2) return;
      await call.delivered();
      throw gone();
    },
    async AlignedWindows(call) {
      const { start, end } = fromBinary(AlignedWindowsParamsSchema, call.request);
      await call.send(windows([[start, 1n]]));
      if (end - start <= 1024n) return;
      await call.delivered();
      throw gone();
    },
  });
  await withScript(script, async (endpoint) => {
    const times: bigint[] = [];
    const request = { uuid, start: 3n, end: 58n, version: 0n, width: 10n, depth: 0 };
    for await (const chunk of endpoint.windows(request)) times.push(...chunk.columns.times);
    assertEquals(times, [3n, 13n, 23n, 33n, 43n]);
    assertEquals(starts, [3n, 23n, 43n]);
    const aligned: bigint[] = [];
    const wide = { uuid, start: 5n, end: 4096n, version: 0n, pointwidth: 10 };
    for await (const chunk of endpoint.alignedWindows(wide)) aligned.push(...chunk.columns.times);
    assertEquals(aligned, [0n, 1024n, 2048n, 3072n]);
  });
});

Deno.test("readResumable: an answer without any message is a broken one", async () => {
  let calls = 0;
  const script = v4Server("4.15.9-deno", {
    RawValues: (call) => ++calls === 1 ? undefined : call.send(raw(POINTS)),
  });
  await withScript(script, async (endpoint) => {
    assertEquals(await readAll(endpoint, { uuid, start: 0n, end: 100n, version: 0n }), POINTS);
  });
});
