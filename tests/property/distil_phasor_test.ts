/**
 * The ready definitions of `distil` store what the functions of `./phasor` give for everything at
 * once, to the last bit, however the time is cut and in whatever order the points come.
 *
 * @module
 */

import { type BTrDB, connect, MAX_TIME, MIN_TIME, type RawColumns } from "@btrdb/btrdb";
import {
  angleDifference,
  distil,
  type DistilDefinition,
  frequency,
  power,
  sequence,
} from "@btrdb/btrdb/distil";
import {
  angleDifference as subtractAngles,
  frequencyOf,
  powerOf,
  rocofOf,
  symmetricalComponents,
} from "@btrdb/btrdb/phasor";
import { assertEquals, assertThrows } from "@std/assert";
import { Random } from "../support/random.ts";

const STEP = 16_666_667n;
const OVER = 25_000_000n;
const NAMES = ["am", "aa", "bm", "ba", "cm", "ca"];

/** Points of six streams, all of the same times but for some that are missing. */
function points(random: Random, n: number): Map<string, RawColumns> {
  let time = 1_700_000_000_000_000_000n;
  const times = Array.from({ length: n }, () => {
    time += random.chance(0.01) ? STEP * BigInt(random.int(2, 500)) : STEP;
    return time;
  });
  return new Map(NAMES.map((name) => {
    const kept = times.filter(() => !random.chance(0.02));
    const isAngle = name.endsWith("a");
    const value = (): number => isAngle ? 360 * random.next() - 180 : 7000 + 100 * random.next();
    return [name, {
      times: BigInt64Array.from(kept),
      values: Float64Array.from(kept, value),
    }];
  }));
}

/** The rows in which all of some columns have a point, by plain means. */
function complete(
  columns: readonly RawColumns[],
): { times: BigInt64Array; values: Float64Array[] } {
  const maps = columns.map(({ times, values }) =>
    new Map(Array.from(times, (time, i) => [time, values[i]!]))
  );
  const times = columns[0]!.times.filter((time) => maps.every((map) => map.has(time)));
  return { times, values: maps.map((map) => Float64Array.from(times, (time) => map.get(time)!)) };
}

async function stored(db: BTrDB, name: string): Promise<string[]> {
  const [stream] = await Array.fromAsync(db.lookupStreams("out", { tags: { name } }));
  const { times, values } = await stream!.rawValues(MIN_TIME, MAX_TIME).collect();
  return Array.from(times, (time, i) => `${time} ${values[i]}`);
}

function pairs(times: BigInt64Array, values: Float64Array): string[] {
  return Array.from(times, (time, i) => `${time} ${values[i]}`)
    .filter((_, i) => !Number.isNaN(values[i]));
}

const polar = (name: string) => ({ magnitude: `in/${name}m`, angle: `in/${name}a` });
const outputs = (name: string) => ({ magnitude: `out/${name}m`, angle: `out/${name}a` });

Deno.test("distil: ready definitions of phasors give what their functions give at once", async () => {
  for (let seed = 1; seed <= 3; seed++) {
    const random = new Random(seed);
    await using db = await connect("memory:");
    const all = points(random, 2500);
    const definitions: DistilDefinition[] = [
      angleDifference({ a: "in/aa", b: "in/ba", difference: "out/difference" }),
      frequency({ angle: "in/aa", frequency: "out/f", rocof: "out/r", nominal: 60, over: OVER }),
      frequency({ angle: "in/ba", frequency: "out/g", nominal: 50, over: OVER }),
      power({
        voltage: polar("a"),
        current: polar("b"),
        active: "out/p",
        reactive: "out/q",
        phases: 3,
      }),
      power({ voltage: polar("a"), current: polar("c"), apparent: "out/s", powerFactor: "out/pf" }),
      sequence({
        a: polar("a"),
        b: polar("b"),
        c: polar("c"),
        zero: outputs("zero"),
        positive: outputs("positive"),
        negative: outputs("negative"),
      }),
    ];
    // Half of the points first, the rest late and in pieces, each worked in at once.
    for (const [name, { times, values }] of all) {
      const stream = await db.create(crypto.randomUUID(), "in", { tags: { name } });
      const early = Array.from(times, () => random.chance(0.5));
      const some = (late: boolean): [bigint, number][] =>
        Array.from(times, (time, i): [bigint, number] => [time, values[i]!])
          .filter((_, i) => early[i] !== late);
      await stream.insert(some(false));
      all.set(name, { times, values });
      rest.set(name, some(true));
    }
    for (const definition of definitions) await distil(db, definition).run({ maxPoints: 1000 });
    for await (const stream of db.lookupStreams("in")) {
      await stream.insert(rest.get((await stream.tags())["name"]!)!);
    }
    for (const definition of definitions) await distil(db, definition).run({ maxPoints: 1000 });

    const of = (...names: string[]) => complete(names.map((name) => all.get(name)!));
    const difference = of("aa", "ba");
    assertEquals(
      await stored(db, "difference"),
      pairs(difference.times, subtractAngles(difference.values[0]!, difference.values[1]!)),
    );
    const hertz = frequencyOf(all.get("aa")!, { nominal: 60, over: OVER });
    assertEquals(await stored(db, "f"), pairs(hertz.times, hertz.values));
    assertEquals(await stored(db, "r"), pairs(hertz.times, rocofOf(hertz, { over: OVER }).values));
    const other = frequencyOf(all.get("ba")!, { nominal: 50, over: OVER });
    assertEquals(await stored(db, "g"), pairs(other.times, other.values));
    const phasor = (values: Float64Array[], at: number) => ({
      magnitude: values[at]!,
      angle: values[at + 1]!,
    });
    const ab = of("am", "aa", "bm", "ba");
    const three = powerOf(phasor(ab.values, 0), phasor(ab.values, 2), { phases: 3 });
    assertEquals(await stored(db, "p"), pairs(ab.times, three.active));
    assertEquals(await stored(db, "q"), pairs(ab.times, three.reactive));
    const ac = of("am", "aa", "cm", "ca");
    const one = powerOf(phasor(ac.values, 0), phasor(ac.values, 2));
    assertEquals(await stored(db, "s"), pairs(ac.times, one.apparent));
    assertEquals(await stored(db, "pf"), pairs(ac.times, one.powerFactor));
    const abc = of(...NAMES);
    const [a, b, c] = [0, 2, 4].map((at) => phasor(abc.values, at));
    const parts = symmetricalComponents(a!, b!, c!);
    for (const part of ["zero", "positive", "negative"] as const) {
      assertEquals(await stored(db, `${part}m`), pairs(abc.times, parts[part].magnitude));
      assertEquals(await stored(db, `${part}a`), pairs(abc.times, parts[part].angle));
    }
  }
});

/** Points that come late, by stream. */
const rest = new Map<string, [bigint, number][]>();

Deno.test("distil: options of the ready definitions are checked, and are part of the version", () => {
  const angle = { angle: "in/a", frequency: "out/f", nominal: 50, over: OVER };
  assertThrows(() => frequency({ ...angle, over: 0n }), TypeError, "over is 0, expected a bigint");
  assertThrows(() => frequency({ ...angle, nominal: -50 }), RangeError, "nominal is -50");
  assertThrows(
    () => frequency({ ...angle, unit: "turns" as never }),
    RangeError,
    'unit is "turns"',
  );
  const flow = { voltage: polar("a"), current: polar("b") };
  assertThrows(() => power(flow), TypeError, "power has no output");
  assertThrows(
    () => power({ ...flow, active: "out/p", phases: 2 as never }),
    RangeError,
    "phases is 2",
  );
  assertThrows(
    () => power({ ...flow, voltage: null as never, active: "x/y" }),
    TypeError,
    "voltage is null",
  );
  assertThrows(
    () => sequence({ a: polar("a"), b: polar("b"), c: polar("c") }),
    TypeError,
    "no output",
  );
  const versions = [
    frequency(angle),
    frequency({ ...angle, nominal: 60 }),
    frequency({ ...angle, over: 1n }),
    frequency({ ...angle, unit: "radians" }),
    power({ ...flow, active: "out/p" }),
    power({ ...flow, active: "out/p", phases: 3 }),
  ].map(({ version }) => version);
  assertEquals(new Set(versions).size, versions.length);
});
