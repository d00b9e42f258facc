import { gaps, StreamSet } from "@btrdb/btrdb";
import { assertEquals } from "@std/assert";
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
];
