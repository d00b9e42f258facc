/**
 * `gaps` finds what looking at every point finds.
 *
 * @module
 */

import { connect, type GapReport, gaps, type RawColumns } from "@btrdb/btrdb";
import { assertEquals } from "@std/assert";
import { plainGaps } from "../support/gaps_reference.ts";
import { Random } from "../support/random.ts";

const PERIOD = 8_333_333n;
const OVER = 12_500_000n;

/** Points at a period, with jitter, missing stretches, shifts of the grid, and stretches of faults. */
function faulty(random: () => number, n: number, twice: boolean): RawColumns {
  const pick = (most: number): number => Math.floor(random() * most);
  const times: bigint[] = [];
  const values: number[] = [];
  let time = BigInt(pick(1e9)) * 1_700_000_007n - 3n * PERIOD;
  const jitter = [0, 0, 1, 1_000_000][pick(4)]!;
  let value = 1;
  for (let i = 0; i < n; i++) {
    if (pick(n / 3) === 0) time += PERIOD * BigInt(1 + pick([3, 200, 30_000][pick(3)]!));
    if (pick(n) === 0) time += BigInt(pick(20_000_000));
    const kind = pick(40);
    value = kind === 0 ? 0 : kind === 1 ? value : kind === 2 ? 99 : 1 + random();
    const stretch = pick(300) === 0 ? pick(3000) : 1;
    for (let k = 0; k < stretch && times.length < n; k++) {
      const at = time + BigInt(pick(2 * jitter + 1) - jitter);
      times.push(at);
      values.push(value);
      if (twice && pick(100) === 0) {
        times.push(at);
        values.push(value);
      }
      time += PERIOD;
    }
  }
  const order = times.map((_, i) => i).sort((
    a,
    b,
  ) => (times[a]! < times[b]! ? -1 : times[a]! > times[b]! ? 1 : a - b));
  return {
    times: BigInt64Array.from(order, (i) => times[i]!),
    values: Float64Array.from(order, (i) => values[i]!),
  };
}

function found(report: GapReport): unknown {
  const part = (findings: { points: bigint; list: unknown[] } | undefined) =>
    findings && { points: findings.points, list: findings.list };
  return {
    gaps: part(report.gaps),
    duplicates: part(report.duplicates),
    repeats: part(report.repeats),
    zeros: part(report.zeros),
    outOfRange: part(report.outOfRange),
  };
}

Deno.test("gaps: every fault of random streams, from windows and from points", async () => {
  await using db = await connect("memory:");
  for (let seed = 1; seed <= 60; seed++) {
    const generator = new Random(seed);
    const random = (): number => generator.next();
    const twice = seed % 3 === 0;
    const points = faulty(random, [10, 5_000, 40_000][seed % 3 === 0 ? 1 : seed % 2 + 1]!, twice);
    const stream = await db.create(crypto.randomUUID(), `seed-${seed}`);
    await stream.insert(points);
    const { times } = points;
    const edges = seed % 2 === 0
      ? {}
      : { start: times[0]! - 40n * PERIOD - 5n, end: times.at(-1)! + 10n * PERIOD };
    const rate = 1e9 / Number(PERIOD);
    const options = { over: OVER, repeats: 3, low: -1, high: 50, zeros: true, ...edges };
    // The rate is known to a millionth of a Hz, so that it drifts from the period of the points.
    const plain = plainGaps(points, PERIOD, OVER, options);
    for (const exact of twice ? [true] : [true, false]) {
      const report = await gaps(stream, { ...options, rate, exact });
      assertEquals(found(report), plain, `seed ${seed}, exact ${exact}`);
      assertEquals(report.points, BigInt(times.length));
      const onlyGaps = await gaps(stream, { ...edges, over: OVER, rate, exact });
      assertEquals(found(onlyGaps), {
        gaps: plain.gaps,
        duplicates: plain.duplicates,
        repeats: undefined,
        zeros: undefined,
        outOfRange: undefined,
      }, `only gaps, seed ${seed}, exact ${exact}`);
    }
  }
});
