/** Windows from a server with the mistakes of a real one, against a plain computation. */

import { assertEquals } from "@std/assert";
import { fromBinary } from "@bufbuild/protobuf";
import { MAX_TIME } from "../../src/core/range.ts";
import type { Endpoint } from "../../src/endpoint/endpoint.ts";
import {
  AlignedWindowsParamsSchema,
  RawValuesParamsSchema,
  WindowsParamsSchema,
  WindowsResponseSchema,
} from "../../src/gen/btrdb_v4_pb.ts";
import { connectGrpc } from "../../src/grpc/mod.ts";
import { type Point, type RealPoints, realWindows } from "../support/grpc/real_windows.ts";
import { bytes, raw, v4Server } from "../support/grpc/scripted_answers.ts";
import { ScriptedServer } from "../support/grpc/scripted_server.ts";
import { Random } from "../support/random.ts";

const uuid = new Uint8Array(16).fill(7);
/** Queries made; each stream gets 20 of them. */
const QUERIES = Number(Deno.env.get("PROPERTY_RUNS") ?? 10_000);
/** Windows in one message of an answer: few, so that answers have several. */
const MESSAGE_WINDOWS = 7;

/** A window as text, so that all of them can be compared at once. */
function describe(time: bigint, points: readonly Point[]): string {
  if (points.length === 0) return `${time} 0`;
  const values = points.map(([, value]) => value);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const numbers = [Math.min(...values), mean, Math.max(...values)].map((n) => n.toFixed(6));
  return `${time} ${values.length} ${numbers.map((n) => n.replace("-0.000000", "0.000000"))}`;
}

/** The right windows, made from the points one by one. */
function reference(points: readonly Point[], start: bigint, end: bigint, width: bigint): string[] {
  const windows: string[] = [];
  for (let time = start; time < end; time += width) {
    windows.push(describe(time, points.filter(([at]) => at >= time && at < time + width)));
  }
  return windows;
}

/** The windows of the client. */
async function answered(
  endpoint: Endpoint,
  range: { start: bigint; end: bigint; width: bigint },
): Promise<string[]> {
  const windows: string[] = [];
  for await (const { columns } of endpoint.windows({ uuid, version: 0n, depth: 0, ...range })) {
    const { times, min, mean, max, count } = columns;
    times.forEach((time, i) => {
      const numbers = [min[i]!, mean[i]!, max[i]!].map((n) => n.toFixed(6));
      const text = numbers.map((n) => n.replace("-0.000000", "0.000000"));
      windows.push(count[i] === 0n ? `${time} 0` : `${time} ${count[i]} ${text}`);
    });
  }
  return windows;
}

/** A server that holds the points that `current` has at the moment. */
function serverOf(current: () => RealPoints): Promise<ScriptedServer> {
  const version = () => {
    const minor = BigInt(current().unflushed.length);
    return { versionMajor: 11n, versionMinor: minor };
  };
  const all = () => {
    const { flushed, unflushed } = current();
    return [...flushed, ...unflushed];
  };
  return ScriptedServer.start(v4Server("4.15.9", {
    async Windows(call) {
      const { start, end, width } = fromBinary(WindowsParamsSchema, call.request);
      const values = realWindows(current(), start, end, width);
      let i = 0;
      do {
        const part = values.slice(i, i += MESSAGE_WINDOWS);
        await call.send(bytes(WindowsResponseSchema, { ...version(), values: part }));
      } while (i < values.length);
    },
    RawValues(call) {
      const { start, end } = fromBinary(RawValuesParamsSchema, call.request);
      const inside = all().filter(([time]) => time >= start && time < end);
      return call.send(raw(inside, 11n, version().versionMinor));
    },
    AlignedWindows(call) {
      const { start, end, pointWidth } = fromBinary(AlignedWindowsParamsSchema, call.request);
      const width = 1n << BigInt(pointWidth);
      const cells = Map.groupBy(
        all().filter(([time]) => time >= start && time < end),
        ([time]) => time & -width,
      );
      const values = [...cells].sort(([a], [b]) => a < b ? -1 : 1).map(([time, points]) => {
        const numbers = points.map(([, value]) => value);
        const sum = numbers.reduce((total, value) => total + value, 0);
        const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
        return { time, min, mean: sum / numbers.length, max, count: BigInt(numbers.length) };
      });
      return call.send(bytes(WindowsResponseSchema, { ...version(), values }));
    },
  }));
}

/** Some points in a small neighbourhood, zeros and equal times among them. */
function somePoints(random: Random, base: bigint, most: number, spread: number): Point[] {
  return Array.from({ length: random.int(0, most) }, (): Point => {
    const value = random.pick([0, -0, 1, -1, 5, random.int(-9, 9) / 4]);
    return [base + BigInt(random.int(-spread, spread)), value];
  });
}

Deno.test("completeWindows: all windows of a real server are right, flushed and unflushed", async (t) => {
  const seed = Number(Deno.env.get("PROPERTY_SEED") ?? Math.floor(Math.random() * 2 ** 32));
  await t.step(`seed ${seed}`, async () => {
    const random = new Random(seed);
    let points: RealPoints = { flushed: [], unflushed: [] };
    await using server = await serverOf(() => points);
    const endpoint = await connectGrpc({ addresses: [server.address], retry: false });
    try {
      for (let n = 0; n < QUERIES; n++) {
        const base = random.pick([0n, 1n << 56n, MAX_TIME - 40n, 47n << 56n, 1n << 50n, -100n]);
        if (n % 20 === 0) {
          const spread = random.pick([8, 30]);
          const flushed = somePoints(random, base, random.pick([3, 12]), spread)
            .filter(([time]) => time < MAX_TIME - 1n).sort(([a], [b]) =>
              a < b ? -1 : a > b ? 1 : 0
            );
          const unflushed = somePoints(random, base, random.pick([0, 3, 12]), spread)
            .filter(([time]) => time < MAX_TIME - 1n);
          points = { flushed, unflushed };
        }
        const near = (points.flushed[0] ?? points.unflushed[0] ?? [base])[0];
        const width = BigInt(random.pick([1, 2, 5, 7, 10, 31]));
        const start = near + BigInt(random.int(-40, 20));
        const last = MAX_TIME - 1n;
        const most = (last - start) / width;
        if (most < 1n) continue;
        const wanted = BigInt(random.int(1, 12));
        const count = wanted < most ? wanted : most;
        const end = start + count * width;
        const all = [...points.flushed, ...points.unflushed];
        const got = await answered(endpoint, { start, end, width });
        const context = JSON.stringify(
          { points, start, end, width },
          (_, value) => typeof value === "bigint" ? String(value) : value,
        );
        assertEquals(got, reference(all, start, end, width), context);
      }
    } finally {
      await endpoint.close();
    }
  });
});
