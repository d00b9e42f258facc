import { assert, assertEquals, assertRejects } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { lastPoint, type RangeReader } from "../../../src/grpc/quirks/range_search.ts";

const uuid = new Uint8Array(16).fill(9);
const version = { major: 11n, minor: 0n };
const range = { uuid, start: 0n, end: 1n << 56n, version: 11n };

/** A server all of whose windows say that they have points; the raw values are `raw`. */
function fullWindows(
  raw: RangeReader["raw"],
): { reader: RangeReader; requests: () => number } {
  let requests = 0;
  const reader: RangeReader = {
    collectAligned({ start, end, pointwidth }) {
      if (++requests > 5_000) throw new Error("The search does not end");
      const width = 1n << BigInt(pointwidth);
      const n = Number((end - start) / width);
      const zeros = new Float64Array(n);
      return Promise.resolve({
        version,
        columns: {
          times: BigInt64Array.from({ length: n }, (_, i) => start + BigInt(i) * width),
          min: zeros,
          mean: zeros,
          max: zeros,
          count: new BigUint64Array(n).fill(1_000_000n),
        },
      });
    },
    raw(request, options) {
      requests++;
      return raw(request, options);
    },
  };
  return { reader, requests: () => requests };
}

async function* noPoints(): ReturnType<RangeReader["raw"]> {
  await Promise.resolve();
  yield { version, columns: { times: new BigInt64Array(0), values: new Float64Array(0) } };
}

// A server whose windows all had points that were nowhere kept `nearest` backward, without a deadline,
// searching forever: each of eight levels made 64 times as many requests as the one above.
Deno.test("lastPoint: windows with points that are never there end the search", async () => {
  const { reader, requests } = fullWindows(noPoints);
  const error = await assertRejects(() => lastPoint(reader, range, {}), BTrDBError);
  assertEquals(error.status, "DATA_LOSS");
  assert(requests() < 3_000, `${requests()} requests`);
});

Deno.test("lastPoint: windows that a delete has emptied meanwhile are passed over", async () => {
  const kept = (1n << 22n) - 500_000n;
  const { reader } = fullWindows(async function* ({ start, end }) {
    await Promise.resolve();
    const times = start <= kept && end > kept ? [kept] : [];
    yield {
      version,
      columns: { times: BigInt64Array.from(times), values: Float64Array.from(times, () => 1) },
    };
  });
  const short = { ...range, end: 1n << 22n };
  const { value } = await lastPoint(reader, short, {});
  assertEquals(value, { time: kept, value: 1 });
});
