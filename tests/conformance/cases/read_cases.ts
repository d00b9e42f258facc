import { MAX_TIME, MIN_TIME, type StatBatch } from "@btrdb/btrdb";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Case, pairs, ramp, read, rejectsWith } from "../support.ts";

export const READ_CASES: Case[] = [
  {
    name: "raw: the range is half-open, across the epoch",
    async run(t) {
      const stream = await t.stream([[-2n, 1], [-1n, 2], [0n, 3], [1n, 4], [2n, 5]]);
      assertEquals(await read(stream, -1n, 2n), [[-1n, 2], [0n, 3], [1n, 4]]);
      assertEquals(await read(stream, 0n, 1n), [[0n, 3]]);
      assertEquals((await read(stream, MIN_TIME, MAX_TIME)).length, 5);
    },
  },
  {
    name: "raw: nothing there is one empty batch that knows its version",
    async run(t) {
      const stream = await t.stream([[1n, 1]]);
      await stream.flush();
      const batches = await Array.fromAsync(stream.rawValues(5n, 9n));
      assertEquals(batches.map((batch) => [batch.length, batch.version]), [[0, 11n]]);
      const empty = await (await t.stream()).rawValues(0n, 1n).collect();
      assertEquals([empty.length, empty.version, empty.versionMinor], [0, 10n, 0n]);
    },
  },
  {
    name: "raw: batches, points and collect give the same, of one version",
    async run(t) {
      const stream = await t.stream();
      const points = ramp(0n, 3n, 12_345);
      await stream.insert(points);
      const version = await stream.flush();
      const all = await stream.rawValues(0n, 40_000n).collect();
      assertEquals([all.times, all.values], [points.times, points.values]);
      let n = 0;
      for await (const batch of stream.rawValues(0n, 40_000n)) {
        assertEquals([batch.version, batch.versionMinor], [version, 0n]);
        for (const { time, value } of batch) {
          assertEquals([time, value], [points.times[n], points.values[n]]);
          n++;
        }
      }
      assertEquals(n, 12_345);
      const single = await Array.fromAsync(stream.rawValues(3n, 9n).points());
      assertEquals(single, [{ time: 3n, value: 1 }, { time: 6n, value: 2 }]);
    },
  },
  {
    name: "raw: a query is read once",
    async run(t) {
      const stream = await t.stream([[1n, 1]]);
      const query = stream.rawValues(0n, 9n);
      assertEquals((await query.collect()).length, 1);
      await assertRejects(() => query.collect(), TypeError, "Cannot read raw values twice");
      assertThrows(() => query[Symbol.asyncIterator](), TypeError, "make a new one");
      assertThrows(() => query.points(), TypeError, "make a new one");
    },
  },
  {
    name: "raw: points in the buffer are in the latest version and in no explicit one",
    async run(t) {
      const stream = await t.stream([[1n, 1]]);
      const committed = await stream.flush();
      await stream.insert([[2n, 2]]);
      const latest = await stream.rawValues(0n, 9n).collect();
      assertEquals([latest.length, latest.version, latest.versionMinor], [2, committed, 1n]);
      const explicit = await stream.rawValues(0n, 9n, { version: committed }).collect();
      assertEquals([explicit.length, explicit.version, explicit.versionMinor], [1, committed, 0n]);
    },
  },
  {
    name: "aligned windows: both ends are rounded down, empty windows are left out",
    async run(t) {
      const stream = await t.stream([[-3n, -4], [1n, 1], [2n, 5], [9n, 2], [16n, 8]]);
      const windows = await stream.alignedWindows(-1n, 17n, 2).collect();
      assertEquals(windows.times, BigInt64Array.of(-4n, 0n, 8n));
      assertEquals(windows.min, Float64Array.of(-4, 1, 2));
      assertEquals(windows.mean, Float64Array.of(-4, 3, 2));
      assertEquals(windows.max, Float64Array.of(-4, 5, 2));
      assertEquals(windows.count, BigUint64Array.of(1n, 2n, 1n));
    },
  },
  {
    name: "aligned windows: from single moments to the whole axis",
    async run(t) {
      const stream = await t.stream([[MIN_TIME, 1], [0n, 3], [MAX_TIME - 2n, 8]]);
      const finest = await stream.alignedWindows(0n, 1n, 0).collect();
      assertEquals([...finest.times, ...finest.count], [0n, 1n]);
      const coarsest = await stream.alignedWindows(MIN_TIME, MAX_TIME, 60).collect();
      assertEquals(coarsest.times, BigInt64Array.of(-(1n << 60n), 0n, 2n << 60n));
      assertEquals(coarsest.mean, Float64Array.of(1, 3, 8));
    },
  },
  {
    name: "aligned windows: wider than 2^60, aligned to the epoch like all others",
    async run(t) {
      const unit = 1n << 60n;
      const stream = await t.stream([[MIN_TIME, 1], [-1n, 3], [0n, 5], [unit, 7], [2n * unit, 9]]);
      const read = (start: bigint, end: bigint, pointwidth: number) =>
        Array.fromAsync(
          stream.alignedWindows(start, end, pointwidth).points(),
          ({ time, mean, count }) => [time / unit, mean, count],
        );
      assertEquals(await read(MIN_TIME, MAX_TIME, 61), [[-2n, 2, 2n], [0n, 6, 2n]]);
      assertEquals(await read(0n, MAX_TIME, 61), [[0n, 6, 2n]]);
      assertEquals(await read(-1n, 0n, 62), [[-4n, 2, 2n]]);
      assertEquals(await read(MIN_TIME, MAX_TIME, 63), [[-8n, 2, 2n]]);
      assertThrows(() => stream.alignedWindows(0n, MAX_TIME, 62), RangeError, "pointwidth is 62");
    },
  },
  {
    name: "windows: exactly those of the grid, holes and tail included",
    async run(t) {
      const stream = await t.stream([[1n, 1], [2n, 2], [3n, 3]]);
      const windows = await stream.windows(0n, 10n, 1n).collect();
      assertEquals(windows.times, BigInt64Array.from({ length: 10 }, (_, i) => BigInt(i)));
      assertEquals([...windows.count], [0n, 1n, 1n, 1n, 0n, 0n, 0n, 0n, 0n, 0n]);
      assertEquals([...windows.mean], [0, 1, 2, 3, 0, 0, 0, 0, 0, 0]);
      const odd = await stream.windows(-10n, 13n, 7n).collect();
      assertEquals([...odd.times], [-10n, -3n, 4n]);
      assertEquals([...odd.count], [0n, 3n, 0n]);
      const far = await (await t.stream([[1n, 1], [50n, 5]])).windows(-10n, 11n, 7n).collect();
      assertEquals([...far.count], [0n, 1n, 0n]);
    },
  },
  {
    name: "windows: a stream without points has empty ones, buffered points count at once",
    async run(t) {
      const stream = await t.stream();
      assertEquals([...(await stream.windows(0n, 4n, 2n).collect()).count], [0n, 0n]);
      assertEquals([...(await stream.windows(0n, 4n, 4n).collect()).count], [0n]);
      await stream.insert([[1n, 5], [1n, 7]]);
      const windows = await stream.windows(0n, 4n, 2n).collect();
      assertEquals([...windows.min, ...windows.max], [5, 0, 7, 0]);
    },
  },
  {
    name: "windows: up to the very end of the axis",
    async run(t) {
      const width = 1n << 60n;
      const stream = await t.stream([[MIN_TIME, 1], [MAX_TIME - 2n, 9]]);
      const all = await stream.windows(MIN_TIME, MAX_TIME, width).collect();
      assertEquals([...all.times], [MIN_TIME, 0n, width, 2n * width]);
      assertEquals([...all.count], [1n, 0n, 0n, 1n]);
      const last = await stream.windows(MAX_TIME - 4n, MAX_TIME, 2n).collect();
      assertEquals([...last.times], [MAX_TIME - 4n, MAX_TIME - 2n]);
      assertEquals([...last.count], [0n, 1n]);
      assertEquals([...(await stream.windows(MAX_TIME - 2n, MAX_TIME, 1n).collect()).count], [
        1n,
        0n,
      ]);
    },
  },
  {
    name: "windows: computed here or by the server, the exact ones are equal",
    async run(t) {
      const stream = await t.stream();
      await stream.insert(ramp(-1_000_000n, 777n, 5_000));
      await stream.flush();
      const read = (compute: "server" | "client") =>
        stream.windows(-1_000_123n, 3_000_000n, 99_991n, { compute }).collect();
      const [server, client] = [await read("server"), await read("client")];
      assertEquals(client.times, server.times);
      assertEquals(client.count, server.count);
      assertEquals([client.min, client.max], [server.min, server.max]);
      client.mean.forEach((mean, i) => assert(Math.abs(mean - server.mean[i]!) < 1e-9 * 5000));
      assertEquals(client.version, server.version);
    },
  },
  {
    name: "windows: standard deviations, where the protocol has them",
    async run(t) {
      const stream = await t.stream([
        [0n, 2],
        [1n, 4],
        [2n, 4],
        [3n, 4],
        [4n, 5],
        [5n, 5],
        [6n, 7],
        [
          7n,
          9,
        ],
      ]);
      for (const flushed of [false, true]) {
        if (flushed) await stream.flush();
        const answers = [
          await stream.windows(0n, 16n, 8n).collect(),
          await stream.windows(0n, 16n, 8n, { compute: "client" }).collect(),
          await stream.windows(0n, 16n, 8n, { compute: "client", depth: 1 }).collect(),
          await stream.alignedWindows(0n, 16n, 3).collect(),
        ];
        for (const { stddev, mean } of answers) {
          assertEquals(mean[0], 5);
          assertEquals(stddev === undefined, t.protocol === "v4");
          if (stddev === undefined) continue;
          // A proxy over v4 does not have it, and says so rather than 0.
          const unknown = t.features === "v4" && Number.isNaN(stddev[0]);
          assert(unknown || Math.abs(stddev[0]! - 2) < 1e-12, `${stddev[0]}`);
        }
      }
      for await (const point of stream.windows(0n, 8n, 8n).points()) {
        assertEquals("stddev" in point, t.protocol !== "v4");
      }
    },
  },
  {
    name: "windows: a depth moves edges by no more than 2^depth, and no point is lost",
    async run(t) {
      const stream = await t.stream();
      await stream.insert(ramp(0n, 1_000n, 10_000));
      await stream.flush();
      for (const compute of ["auto", "client"] as const) {
        for (const depth of [1, 12, 16, 40]) {
          const range = [100_100n, 9_000_100n, 890_000n] as const;
          const windows = await stream.windows(...range, { depth, compute }).collect();
          assertEquals(windows.length, 10);
          const total = windows.count.reduce((sum, count) => sum + count, 0n);
          assertEquals(total, 8_900n);
          const slack = 2n ** BigInt(Math.min(depth, 19)) / 1_000n + 2n;
          for (const count of windows.count) {
            assert(count >= 890n - slack && count <= 890n + slack, `${depth}: ${count}`);
          }
        }
      }
    },
  },
  {
    name: "reads: a version beyond the latest is 404",
    async run(t) {
      const stream = await t.stream([[1n, 1]]);
      const version = await stream.flush() + 1n;
      await rejectsWith(404, () => stream.rawValues(0n, 9n, { version }).collect());
      await rejectsWith(404, () => stream.alignedWindows(0n, 9n, 0, { version }).collect());
      await rejectsWith(404, () => stream.windows(0n, 9n, 3n, { version }).collect());
      await rejectsWith(404, () => stream.nearest(0n, { version }));
    },
  },
  {
    name: "nearest: forward takes the moment itself, backward does not",
    async run(t) {
      const stream = await t.stream([[-5n, 1], [0n, 2], [0n, 3], [7n, 4]]);
      const at = async (time: bigint, backward: boolean) => {
        const point = await stream.nearest(time, { backward });
        return point === null ? null : [point.time, point.value];
      };
      assertEquals(await at(0n, false), [0n, 2]);
      assertEquals(await at(1n, false), [7n, 4]);
      assertEquals(await at(8n, false), null);
      assertEquals(await at(0n, true), [-5n, 1]);
      assertEquals(await at(7n, true), [0n, 3]);
      assertEquals(await at(-5n, true), null);
      assertEquals(await (await t.stream()).nearest(0n), null);
    },
  },
  {
    name: "nearest: from the edges of the axis",
    async run(t) {
      const stream = await t.stream([[MIN_TIME, 1], [MAX_TIME - 2n, 2]]);
      assertEquals((await stream.nearest(MIN_TIME))?.value, 1);
      assertEquals((await stream.nearest(MAX_TIME - 1n, { backward: true }))?.value, 2);
      assertEquals(await stream.nearest(MAX_TIME - 1n), null);
      for (const time of [MIN_TIME - 1n, MAX_TIME]) {
        await assertRejects(() => stream.nearest(time), RangeError, `time is ${time}`);
      }
    },
  },
  {
    name: "earliest, latest and count see the whole axis",
    async run(t) {
      const empty = await t.stream();
      assertEquals([await empty.earliest(), await empty.latest()], [null, null]);
      assertEquals(await empty.count(), 0n);
      const times = [MIN_TIME, -1n, 0n, (1n << 61n) - 1n, 1n << 61n, MAX_TIME - 2n];
      const stream = await t.stream(times.map((time, i) => [time, i]));
      assertEquals((await stream.earliest())?.time, MIN_TIME);
      assertEquals((await stream.latest())?.time, MAX_TIME - 2n);
      for (const flushed of [false, true]) {
        if (flushed) await stream.flush();
        assertEquals(await stream.count(), 6n);
        assertEquals(await stream.count({ start: 1n << 61n }), 2n);
        assertEquals(await stream.count({ start: -1n, end: 0n }), 1n);
        assertEquals(await stream.count({ start: MIN_TIME + 1n, end: MAX_TIME - 2n }), 4n);
        assertEquals(await stream.count({ start: MAX_TIME - 1n }), 0n);
      }
    },
  },
  {
    name: "count: exact for any range",
    async run(t) {
      const stream = await t.stream();
      await stream.insert(ramp(-50_000n, 10n, 10_000));
      const version = await stream.flush();
      const ranges: [bigint, bigint][] = [
        [-50_000n, 50_000n],
        [-49_999n, 49_990n],
        [-7n, 8n],
        [
          1n,
          2n,
        ],
        [-1n << 58n, 1n << 58n],
        [12_345n, 23_456n],
      ];
      for (const [start, end] of ranges) {
        const points = await stream.rawValues(start, end).collect();
        assertEquals(await stream.count({ start, end, version }), BigInt(points.length));
      }
    },
  },
  {
    name: "reads: statistics agree with the points they summarise",
    async run(t) {
      const stream = await t.stream();
      const points: [bigint, number][] = Array.from(
        { length: 3_000 },
        (_, i) => [BigInt(i * i), Math.sin(i) * 1e3],
      );
      await stream.insert(points);
      const check = (windows: StatBatch, width: bigint) => {
        for (const { time, count, min, max, mean } of windows) {
          const values = points.filter(([at]) => at >= time && at < time + width)
            .map(([, value]) => value);
          assertEquals(count, BigInt(values.length));
          if (values.length === 0) continue;
          assertEquals([min, max], [Math.min(...values), Math.max(...values)]);
          const sum = values.reduce((a, b) => a + b, 0);
          assert(Math.abs(mean - sum / values.length) < 1e-9);
        }
      };
      for (const flushed of [false, true]) {
        if (flushed) await stream.flush();
        check(await stream.windows(5n, 9_000_000n, 333_333n).collect(), 333_333n);
        check(await stream.alignedWindows(0n, 9_000_000n, 17).collect(), 1n << 17n);
      }
      const [, value] = pairs(await stream.rawValues(0n, 2n).collect())[1]!;
      assertEquals(value, Math.sin(1) * 1e3);
    },
  },
];
