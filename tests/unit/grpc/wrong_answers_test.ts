/** Servers that answer what was not asked for: an error, never data. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { failure, info, raw, windows } from "../../support/grpc/scripted_answers.ts";
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

Deno.test("statError: a text of a megabyte is cut", async () => {
  const message = failure(404, "x".repeat(1 << 20));
  const error = await refusal(message, (endpoint) => drain(endpoint.rawValues(range)));
  assertEquals(error.code, 404);
  assertEquals(error.message.length < 1_100, true);
});
