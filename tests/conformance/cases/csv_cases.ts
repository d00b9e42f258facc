import type { BTrDB, WriteCsvOptions } from "@btrdb/btrdb";
import { assertEquals, assertRejects } from "@std/assert";
import { type Case, ramp, rejectsWith } from "../support.ts";

/** The exported CSV, as lines of text. */
async function csv(db: BTrDB, options: WriteCsvOptions): Promise<string[]> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const [text, { bytes }] = await Promise.all([
    new Response(readable as ReadableStream<BufferSource>).text(),
    db.writeCSV(writable, options),
  ]);
  assertEquals(new TextEncoder().encode(text).length, bytes);
  return text.split("\n").slice(0, -1);
}

const TIMES = "Timestamp (ns),Human-Readable Time (UTC)";

export const CSV_CASES: Case[] = [
  {
    name: "csv: raw points of several streams, merged by time",
    async run(t) {
      const a = await t.stream([[-1n, 0.1], [0n, 1], [0n, 2]]);
      const b = await t.stream([[0n, 1e-10], [1_000_000_000n, -0]]);
      await b.flush();
      const streams = [{ stream: a, label: "a" }, { stream: b, label: "b, unit" }];
      const range = { start: -10n, end: 10n ** 10n };
      assertEquals(await csv(t.db, { queryType: "raw", ...range, streams }), [
        `${TIMES},a,"b, unit"`,
        "-1,1969-12-31T23:59:59Z,0.1,",
        "0,1970-01-01T00:00:00Z,1,1e-10",
        "0,1970-01-01T00:00:00Z,2,",
        "1000000000,1970-01-01T00:00:01Z,,-0",
      ]);
      const asServer = { numbers: "fixed6", includeVersions: true } as const;
      assertEquals(
        (await csv(t.db, { queryType: "raw", ...range, streams, ...asServer })).slice(0, 2),
        [`${TIMES},"a, ver. 10","b, unit, ver. 11"`, "-1,1969-12-31T23:59:59Z,0.100000,"],
      );
    },
  },
  {
    name: "csv: windows and aligned windows",
    async run(t) {
      const stream = await t.stream([[0n, 1], [1n, 2], [9n, 4]]);
      const streams = [{ stream: stream.uuid, label: "s" }];
      const head = `${TIMES},s (Min),s (Mean),s (Max),s (Count)`;
      const epoch = "1970-01-01T00:00:00Z";
      assertEquals(
        await csv(t.db, { queryType: "windows", start: 0n, end: 13n, width: 4n, streams }),
        [head, `0,${epoch},1,1.5,2,2`, `4,${epoch},,,,0`, `8,${epoch},4,4,4,1`],
      );
      const asServer = { numbers: "fixed6" } as const;
      assertEquals(
        (await csv(t.db, {
          queryType: "windows",
          start: 4n,
          end: 9n,
          width: 4n,
          streams,
          ...asServer,
        }))[1],
        `4,${epoch},0.000000,0.000000,0.000000,0`,
      );
      assertEquals(
        await csv(t.db, { queryType: "aligned", start: 0n, end: 16n, pointwidth: 2, streams }),
        [head, `0,${epoch},1,1.5,2,2`, `8,${epoch},4,4,4,1`],
      );
    },
  },
  {
    name: "csv: an old version, no points, no streams",
    async run(t) {
      const stream = await t.stream([[1n, 1]]);
      const version = await stream.flush();
      await stream.deleteRange(0n, 9n);
      const all = { queryType: "raw", start: 0n, end: 9n } as const;
      const rows = async (streams: WriteCsvOptions["streams"]) =>
        (await csv(t.db, { ...all, streams })).slice(1);
      assertEquals(await rows([{ stream, version }]), ["1,1970-01-01T00:00:00Z,1"]);
      assertEquals(await rows([{ stream }]), []);
      assertEquals(await csv(t.db, { ...all, streams: [] }), [TIMES]);
    },
  },
  {
    name: "csv: a long one, every row once",
    async run(t) {
      const stream = await t.stream();
      await stream.insert(ramp(0n, 1_000n, 50_000));
      const lines = await csv(t.db, {
        queryType: "raw",
        start: 0n,
        end: 10n ** 9n,
        streams: [{ stream }],
      });
      assertEquals(lines.length, 50_001);
      lines.slice(1).forEach((line, i) => {
        assertEquals(line, `${i * 1_000},1970-01-01T00:00:00Z,${i}`);
      });
    },
  },
  {
    name: "csv: what fails, fails before or while it is written",
    async run(t) {
      const stream = await t.stream([[1n, 1]]);
      const missing = t.db.streamFromUUID(crypto.randomUUID());
      const range = { start: 0n, end: 9n };
      const sink = () => new WritableStream<Uint8Array>();
      await rejectsWith(
        404,
        () => t.db.rawValuesToCSV(sink(), { ...range, streams: [{ stream }, { stream: missing }] }),
      );
      const streams = [{ stream }];
      await assertRejects(
        () => t.db.windowsToCSV(sink(), { ...range, width: 0n, streams }),
        RangeError,
        "width is 0",
      );
      await assertRejects(
        () => t.db.alignedWindowsToCSV(sink(), { ...range, pointwidth: 64, streams }),
        RangeError,
        "pointwidth is 64",
      );
    },
  },
];
