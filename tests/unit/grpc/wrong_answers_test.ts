/** Servers that answer what was not asked for: an error, never data. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { concatStat, type StatColumns } from "../../../src/core/columns.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { StreamInfoResponseSchema } from "../../../src/gen/btrdb_v4_pb.ts";
import { WindowsResponseSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import {
  bytes,
  failure,
  info,
  raw,
  versioned,
  windows,
} from "../../support/grpc/scripted_answers.ts";
import { withScript } from "../../support/grpc/scripted_client.ts";

const uuid = new Uint8Array(16).fill(4);
const range = { uuid, start: 100n, end: 200n, version: 11n };

async function drain(source: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of source);
}

/** The error of a read that is answered with `message`. */
async function refusal(
  message: Uint8Array,
  read: (endpoint: Endpoint) => Promise<void>,
): Promise<BTrDBError> {
  let error: BTrDBError | undefined;
  await withScript(
    (call) => call.send(call.rpc === "Info" ? info("4.15.9-deno") : message),
    async (endpoint) => {
      error = await assertRejects(() => read(endpoint), BTrDBError);
    },
  );
  return error!;
}

for (
  const [name, points, text] of [
    ["before the range", [[99n, 1], [150n, 2]], "points outside 100 to 200"],
    ["at its end", [[150n, 1], [200n, 2]], "points outside 100 to 200"],
    ["out of order", [[150n, 1], [120n, 2], [160n, 3]], "not in order of time"],
  ] as const
) {
  Deno.test(`rawValues: points ${name} are DATA_LOSS`, async () => {
    const error = await refusal(raw(points), (endpoint) => drain(endpoint.rawValues(range)));
    assertEquals([error.status, error.retryable], ["DATA_LOSS", false]);
    assertStringIncludes(error.message, text);
  });
}

for (
  const [name, rows, text] of [
    ["off the grid", [[103n, 1n]], "not on the grid"],
    ["out of order", [[120n, 1n], [110n, 1n]], "not in order"],
    ["twice", [[120n, 1n], [120n, 1n]], "not in order"],
    ["before the range", [[90n, 1n]], "windows outside"],
    ["behind it", [[210n, 1n]], "windows outside"],
    ["of 2^63 points", [[120n, 1n << 63n]], "no number of points"],
  ] as const
) {
  Deno.test(`windows: windows ${name} are DATA_LOSS`, async () => {
    const request = { ...range, width: 10n, depth: 0 };
    const error = await refusal(windows(rows), (endpoint) => drain(endpoint.windows(request)));
    assertEquals(error.status, "DATA_LOSS");
    assertStringIncludes(error.message, text);
  });
}

for (
  const [name, rows] of [
    ["off the grid", [[130n, 1n]]],
    ["out of order", [[144n, 1n], [128n, 1n]]],
    ["before the range", [[64n, 1n]]],
    ["behind it", [[256n, 1n]]],
  ] as const
) {
  Deno.test(`alignedWindows: windows ${name} are DATA_LOSS`, async () => {
    const request = { ...range, pointwidth: 4 };
    const read = (endpoint: Endpoint) => drain(endpoint.alignedWindows(request));
    assertEquals((await refusal(windows(rows), read)).status, "DATA_LOSS");
  });
}

/** Statistics of a window of three points; what is not said is 1. */
function statistics(
  of: { min?: number; mean?: number; max?: number; count?: bigint; stddev?: number },
): Uint8Array {
  const values = [{ time: 100n, min: 1, mean: 1, max: 1, count: 3n, stddev: 1, ...of }];
  return bytes(WindowsResponseSchema, { versionMajor: 11n, values });
}

/** The windows of a v5 server that answers with `message`. */
async function windowsOf(message: Uint8Array): Promise<StatColumns> {
  const batches: StatColumns[] = [];
  await withScript(
    (call) => call.send(call.rpc === "Info" ? info("5.30.0-deno", [], [5, 30]) : message),
    async (endpoint) => {
      for await (
        const { columns } of endpoint.windows({ ...range, end: 110n, width: 10n, depth: 0 })
      ) {
        batches.push(columns);
      }
    },
  );
  return concatStat(batches);
}

for (
  const [name, of, text] of [
    ["a mean above the maximum", { min: 1, mean: 100, max: 2 }, "a mean outside"],
    ["a mean below the minimum", { min: -2, mean: -2.1, max: -1 }, "a mean outside"],
    ["a minimum above the maximum", { min: 3, mean: 2, max: 1 }, "a minimum above"],
    ["a deviation below 0", { stddev: -1 }, "a deviation below 0"],
  ] as const
) {
  // Only the minimum and the maximum were compared; the rest came out as it came in.
  Deno.test(`windows: ${name} is DATA_LOSS`, async () => {
    const error = await assertRejects(() => windowsOf(statistics(of)), BTrDBError);
    assertEquals(error.status, "DATA_LOSS");
    assertStringIncludes(error.message, text);
  });
}

Deno.test("windows: means that are rounded, overflow or are of no points are no contradiction", async () => {
  const tiny = Number.MIN_VALUE;
  for (
    const of of [
      { min: 0.1, mean: 0.1 + 1e-15, max: 0.1 },
      { min: 1e300, mean: 1e300 * (1 - 1e-12), max: 1e300 },
      { min: tiny, mean: 0, max: tiny },
      { min: 1e308, mean: Infinity, max: 1e308 },
      { min: -1e308, mean: -Infinity, max: -1e308 },
      { min: -1e308, mean: NaN, max: 1e308, stddev: NaN },
      { min: NaN, mean: NaN, max: NaN },
      { min: -Infinity, mean: 5, max: Infinity },
      { min: 0, mean: 7, max: 0, count: 0n },
    ]
  ) assertEquals((await windowsOf(statistics(of))).mean, Float64Array.of(of.mean));
});

// A version that changes within an answer was taken for a connection that broke, with the advice to read
// again: whoever followed it never came to an end.
Deno.test("rawValues: an answer of two versions is DATA_LOSS", async () => {
  await withScript(async (call) => {
    if (call.rpc === "Info") return await call.send(info("4.15.9-deno"));
    await call.send(raw([[110n, 1]], 11n));
    await call.send(raw([[120n, 1]], 10n));
  }, async (endpoint) => {
    const latest = { ...range, version: 0n };
    const error = await assertRejects(() => drain(endpoint.rawValues(latest)), BTrDBError);
    assertEquals([error.status, error.retryable], ["DATA_LOSS", false]);
    assertStringIncludes(error.message, "it is of versions 11 and 10");
  });
});

// The version that a delete answered was put in place of the one of a read that was under way, which then
// seemed to be of two versions.
Deno.test("rawValues: a delete during an answer does not make it one of two versions", async () => {
  const { promise: deleted, resolve } = Promise.withResolvers<void>();
  const points = [[110n, 1], [120n, 2]] as const;
  const times: bigint[] = [];
  await withScript(async (call) => {
    if (call.rpc === "Info") return await call.send(info("4.15.9"));
    if (call.rpc === "StreamInfo") {
      return await call.send(
        bytes(StreamInfoResponseSchema, {
          versionMajor: 12n,
          descriptor: { uuid, collection: "c" },
        }),
      );
    }
    if (call.rpc === "Delete") return await call.send(versioned(13n));
    await call.send(raw(points.slice(0, 1), 12n));
    await deleted;
    await call.send(raw(points.slice(1), 12n));
  }, async (endpoint) => {
    for await (const { columns } of endpoint.rawValues({ ...range, version: 0n })) {
      if (times.length === 0) {
        await endpoint.deleteRange({ uuid, start: 0n, end: 10n });
        resolve();
      }
      times.push(...columns.times);
    }
  });
  assertEquals(times, [110n, 120n]);
});

Deno.test("statError: a text of a megabyte is cut", async () => {
  const message = failure(404, "x".repeat(1 << 20));
  const error = await refusal(message, (endpoint) => drain(endpoint.rawValues(range)));
  assertEquals(error.code, 404);
  assertEquals(error.message.length < 1_100, true);
});
