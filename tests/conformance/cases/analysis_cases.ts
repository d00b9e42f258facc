import { align, gaps, SECOND, StreamSet } from "@btrdb/btrdb";
import { assertEquals } from "@std/assert";
import { plainAlign } from "../../support/align_reference.ts";
import { plainGaps } from "../../support/gaps_reference.ts";
import type { Case } from "../support.ts";

export const ANALYSIS_CASES: Case[] = [
  {
    name: "gaps: what looking at every point finds, from windows",
    async run(t) {
      const period = 10_000_000n;
      const times: bigint[] = [];
      for (let i = 0; i < 20_000; i++) {
        if ((i > 3000 && i < 3003) || (i > 9000 && i < 14_000)) continue;
        times.push(-50_000_000_000n + BigInt(i) * period);
      }
      const values = Float64Array.from(times, (_, i) => i % 5000 === 4999 ? 0 : 1 + i % 7);
      const points = { times: BigInt64Array.from(times), values };
      const stream = await t.stream();
      await stream.insert(points);
      const set = await new StreamSet([stream]).pinVersions({ flush: true });
      const [report] = await gaps(set, { zeros: true });
      const plain = plainGaps(points, period, 15_000_000n);
      assertEquals(report!.gaps.list, plain.gaps.list);
      assertEquals(report!.zeros?.list, plain.zeros.list);
      assertEquals([report!.points, report!.expected], [BigInt(times.length), 20_000n]);
      const all = await gaps(stream, { exact: true });
      assertEquals(all.gaps, report!.gaps);
    },
  },
  {
    name: "align: streams that are not in step, at the pinned versions, before 1970 too",
    async run(t) {
      const start = -3n * SECOND;
      const at = (i: number) => start + BigInt(i) * SECOND / 50n;
      const a = await t.stream();
      const b = await t.stream();
      const columns = (late: bigint, skip: number) => {
        const indices = Array.from({ length: 1000 }, (_, i) => i).filter((i) => i % skip !== 7);
        return {
          times: BigInt64Array.from(indices, (i) => at(i) + late),
          values: Float64Array.from(indices, (i) => i),
        };
      };
      const [first, second] = [columns(0n, 1000), columns(300_000n, 10)];
      await a.insert(first);
      await b.insert(second);
      const set = await new StreamSet([a, b]).pinVersions({ flush: true });
      await b.insert([[at(7), 99]]);
      const rules = {
        start,
        end: at(1000),
        rate: 25,
        tolerance: 400_000n,
        fill: "linear" as const,
        maxGap: 50_000_000n,
      };
      const rows = align(set, rules);
      const got = await rows.collect();
      const plain = [first, second].map((one) => plainAlign(one, rules));
      assertEquals([...got.times], plain[0]!.times);
      assertEquals(got.values.map((column) => [...column]), plain.map(({ values }) => values));
      assertEquals(rows.counts, plain.map(({ count }) => count));
      assertEquals((await align([a], rules).collect()).values[0], got.values[0]);
    },
  },
  {
    name: "align: the points before and after the range are found, however far away they are",
    async run(t) {
      const day = 86_400n * SECOND;
      const a = await t.stream([[-400n * day, 4], [-300n * day, 1], [300n * day, 7], [
        400n * day,
        0,
      ]]);
      const range = { start: 0n, end: 2n * SECOND, rate: 1 };
      const linear = await align([a], { ...range, fill: "linear" }).collect();
      assertEquals([...linear.values[0]!].map((value) => value.toFixed(4)), ["4.0000", "4.0000"]);
      const previous = await align([a], { ...range, fill: "previous" }).collect();
      assertEquals([...previous.values[0]!], [1, 1]);
      const short = await align([a], { ...range, fill: "previous", maxGap: day }).collect();
      assertEquals([...short.values[0]!], [NaN, NaN]);
      const open = align([a, await t.stream()], { start: 299n * day, rate: 1 / 86_400 });
      assertEquals((await open.collect()).times.length, 102);
    },
  },
  {
    name: "align: leaving the rows ends every query",
    async run(t) {
      const a = await t.stream();
      await a.insert({
        times: BigInt64Array.from({ length: 50_000 }, (_, i) => BigInt(i) * 1_000_000n),
        values: new Float64Array(50_000),
      });
      const rows = align([a, a], { start: 0n, end: 10_000n * SECOND, rate: 1000 });
      for await (const { times } of rows) {
        assertEquals(times[1], 1_000_000n);
        break;
      }
    },
  },
];
