/**
 * Phasors: sine and cosine against integer arithmetic of 500 bits, everything else against plain
 * loops.
 *
 * @module
 */

import {
  angleDifference,
  cyclePhasors,
  cycleRms,
  frequencyOf,
  perUnit,
  type PolarColumns,
  powerOf,
  rocofOf,
  sincos,
  symmetricalComponents,
  toPolar,
  toRectangular,
  unwrapAngles,
  wrapAngles,
} from "@btrdb/btrdb/phasor";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  plainPolar,
  plainPower,
  plainRectangular,
  plainSequences,
} from "../support/phasor_reference.ts";
import { Random } from "../support/random.ts";
import { ulpsOff } from "../support/sincos_reference.ts";

/** Angles of every size, and those next to multiples of a quarter turn. */
function angles(random: Random, quarter: number): Float64Array {
  const out: number[] = [
    0,
    -0,
    5e-324,
    -1e-310,
    1e300,
    1.7976931348623157e308,
    2 ** 20,
    -(2 ** 20),
  ];
  // The double nearest to a multiple of pi/2 (Muller, Elementary Functions, 2006).
  out.push(6381956970095103 * 2 ** 797);
  for (let k = -40; k <= 40; k++) {
    const near = k * quarter;
    out.push(near, near + 2 ** -40, near - 2 ** -50, near * (1 + 2 ** -52));
    // About where the kernel changes to its exact reduction: 2^-20 from a multiple, times its number.
    for (const much of [1, 1000, 16_000]) {
      const far = (much * k + 1) * quarter, edge = (much * k + 1) * 2 ** -20;
      out.push(
        far + edge,
        far - edge * (1 + 2 ** -10),
        far + edge * (1 + 2 ** -10),
        far - edge / 2,
      );
    }
  }
  for (let i = 0; i < 3000; i++) {
    out.push(
      (random.next() - 0.5) * [1, 2 * quarter, 8 * quarter, 1e4, 1e6, 2e6, 1e9, 1e18][i % 8]!,
    );
    out.push(Math.round(random.next() * 1e6) * quarter, 10 ** (random.next() * 600 - 300));
  }
  return Float64Array.from(out);
}

for (const [unit, quarter] of [["radians", Math.PI / 2], ["degrees", 90]] as const) {
  Deno.test(`sincos: within 1 ulp of the exact value, ${unit}`, () => {
    const all = angles(new Random(7), quarter);
    const { sine, cosine } = sincos(all, { unit });
    let worst = 0;
    for (let i = 0; i < all.length; i++) {
      // Beyond this fixed point has too few bits behind it; the library's reduction is used there.
      if (Math.abs(all[i]!) < 1e-60 || (unit === "radians" && Math.abs(all[i]!) > 1e200)) continue;
      if (unit === "degrees" && Math.abs(all[i]!) > 1e200) continue;
      const [s, c] = ulpsOff(all[i]!, unit === "degrees", sine[i]!, cosine[i]!);
      if (s > 1 || c > 1) throw new Error(`${all[i]} ${unit}: ${s} and ${c} ulp`);
      worst = Math.max(worst, s, c);
    }
    console.log(`${unit}: at most ${worst.toFixed(3)} ulp off`);
    assert(worst > 0.3);
  });
}

Deno.test("sincos: what is not finite is NaN, zero keeps its sign, small angles are themselves", () => {
  for (const unit of ["radians", "degrees"] as const) {
    const { sine, cosine } = sincos(Float64Array.of(NaN, Infinity, -Infinity, -0, 0), { unit });
    assertEquals([...sine], [NaN, NaN, NaN, -0, 0]);
    assertEquals([...cosine], [NaN, NaN, NaN, 1, 1]);
  }
  assertEquals(sincos(Float64Array.of(1e-200), { unit: "radians" }).sine[0], 1e-200);
  // Minus zero degrees were plus zero where nothing unusual stood beside them.
  assert(Object.is(sincos(Float64Array.of(-0, 1)).sine[0], -0));
});

function phasors(random: Random, n: number, turn: number): PolarColumns {
  return {
    magnitude: Float64Array.from({ length: n }, () => random.next() * 10 ** random.int(-3, 5)),
    angle: Float64Array.from({ length: n }, () => (random.next() - 0.5) * turn),
  };
}

function close(got: Float64Array, wanted: Float64Array, scale: Float64Array, ulps: number): void {
  assertEquals(got.length, wanted.length);
  for (let i = 0; i < got.length; i++) {
    const off = Math.abs(got[i]! - wanted[i]!);
    if (!(off <= ulps * 2 ** -52 * Math.abs(scale[i]!))) {
      throw new Error(`element ${i}: ${got[i]}, expected ${wanted[i]}`);
    }
  }
}

const TURNS = [["degrees", 360, Math.PI / 180], ["radians", 2 * Math.PI, 1]] as const;

for (const [unit, turn, factor] of TURNS) {
  Deno.test(`phasor: polar, rectangular, power, sequences as plain loops, ${unit}`, () => {
    const random = new Random(11);
    for (const n of [0, 1, 2, 3, 8191, 8193, 20_000]) {
      const [a, b, c] = [0, 1, 2].map(() => phasors(random, n, turn)) as [
        PolarColumns,
        PolarColumns,
        PolarColumns,
      ];
      const rectangular = toRectangular(a, { unit });
      const plain = plainRectangular(a, factor);
      close(rectangular.real, plain.real, a.magnitude, 4);
      close(rectangular.imaginary, plain.imaginary, a.magnitude, 4);
      const polar = toPolar(rectangular, { unit });
      close(polar.magnitude, a.magnitude, a.magnitude, 3);
      close(polar.angle, plainPolar(rectangular, factor).angle, polar.angle, 4);
      const { active, reactive, apparent, powerFactor } = powerOf(a, b, { unit });
      const [p, q, s] = plainPower(a, b, factor);
      close(active, p, s, 8);
      close(reactive, q, s, 8);
      assertEquals(apparent, s);
      for (let i = 0; i < n; i++) assertEquals(powerFactor[i], active[i]! / apparent[i]!);
      assertEquals(powerOf(a, b, { unit, phases: 3 }).apparent, s.map((value) => 3 * value));
      const { zero, positive, negative } = symmetricalComponents(a, b, c, { unit });
      const size = a.magnitude.map((m, i) => m + b.magnitude[i]! + c.magnitude[i]!);
      const sequences = plainSequences([a, b, c], factor);
      [zero, positive, negative].forEach((got, k) => {
        const wanted = sequences[k]!;
        close(got.magnitude, wanted.magnitude, size, 8);
        // Angles of what nearly cancels mean nothing: compare the vectors.
        const [x, y] = [plainRectangular(got, factor), plainRectangular(wanted, factor)];
        close(x.real, y.real, size, 8);
        close(x.imaginary, y.imaginary, size, 8);
      });
    }
  });
}

Deno.test("toPolar: axes, quadrants, zeros, infinities and sizes as Math.atan2 and Math.hypot", () => {
  const edge = [0, -0, 1, -1, 1e-320, 1e-200, -1e-200, 1e200, -1e308, Infinity, -Infinity, NaN];
  const pairs = edge.flatMap((x) => edge.map((y) => [x, y] as const));
  const real = Float64Array.from(pairs, ([x]) => x),
    imaginary = Float64Array.from(pairs, ([, y]) => y);
  const { magnitude, angle } = toPolar({ real, imaginary }, { unit: "radians" });
  pairs.forEach(([x, y], i) => {
    const wanted = Math.atan2(y, x), length = Math.hypot(x, y);
    const name = `(${x}, ${y})`;
    assert(
      Object.is(angle[i], wanted) || Math.abs(angle[i]! - wanted) <= 2 ** -51 * Math.abs(wanted),
      `angle of ${name}: ${angle[i]}, ${wanted}`,
    );
    assert(
      Object.is(magnitude[i], length) || Math.abs(magnitude[i]! - length) <= 2 ** -51 * length,
      `length of ${name}: ${magnitude[i]}, ${length}`,
    );
  });
});

Deno.test("symmetricalComponents: of the largest, the smallest and no magnitudes, and of what is not finite", () => {
  const of = (magnitude: number, angle: number): PolarColumns => ({
    magnitude: Float64Array.of(magnitude),
    angle: Float64Array.of(angle),
  });
  for (const magnitude of [1.7e308, 3, 3e-320, 0]) {
    for (const angle of [0, 45, -90, 135]) {
      const alone = symmetricalComponents(of(magnitude, angle), of(0, 0), of(0, 0));
      for (const { magnitude: [length], angle: [turn] } of Object.values(alone)) {
        assert(Math.abs(length - magnitude / 3) <= 1e-323 + length * 2 ** -50, `${length}`);
        if (magnitude > 1e-300) assert(Math.abs(turn - angle) < 1e-12, `${turn}, not ${angle}`);
      }
    }
  }
  for (const odd of [of(NaN, 0), of(1, NaN), of(1, Infinity), of(Infinity, 0.5)]) {
    const { zero, positive } = symmetricalComponents(odd, of(1, 0), of(1, 0));
    assert(!Number.isFinite(zero.magnitude[0]) && !Number.isFinite(positive.magnitude[0]));
  }
});

Deno.test("wrapAngles and unwrapAngles: there and back, with NaN and gaps", () => {
  const random = new Random(3);
  let angle = 0;
  const smooth = Float64Array.from({ length: 5000 }, () => angle += (random.next() - 0.5) * 350);
  const wrapped = wrapAngles(smooth);
  assert(wrapped.every((value) => value > -180 && value <= 180));
  assert(wrapAngles(smooth, { range: "positive" }).every((value) => value >= 0 && value < 360));
  const back = unwrapAngles(wrapped);
  const offset = Math.round((smooth[0]! - back[0]!) / 360) * 360;
  back.forEach((value, i) => assert(Math.abs(value + offset - smooth[i]!) < 1e-9));
  assertEquals([
    ...wrapAngles(Float64Array.of(-180, 180, 540, -540, Infinity, -1e-20), { range: "positive" }),
  ], [180, 180, 180, 180, NaN, 0]);
  assertEquals([...wrapAngles(Float64Array.of(-180, 180, 540, -540, NaN))], [
    180,
    180,
    180,
    180,
    NaN,
  ]);
  assertEquals([...unwrapAngles(Float64Array.of(170, NaN, -170, 10))], [170, NaN, 190, 370]);
  const times = BigInt64Array.of(0n, 1n, 10n, 11n);
  const jump = Float64Array.of(170, -170, 170, -170);
  assertEquals([...unwrapAngles(jump, { times, over: 2n })], [170, 190, 170, 190]);
  assertEquals([...unwrapAngles(jump, { times })], [170, 190, 170, 190]);
  assertThrows(() => unwrapAngles(jump, { over: 2n }), TypeError, "over is given without times");
  assertThrows(
    () => unwrapAngles(jump, { times: times.slice(1), over: 2n }),
    RangeError,
    "times has 3",
  );
});

Deno.test("frequencyOf and rocofOf: a chirp, with a gap across which nothing is computed", () => {
  // f(t) = 60 + t/10 Hz: the angle to 60 Hz is 360 t²/20 degrees.
  const step = 1_000_000_000n / 50n;
  const at = (i: number) => 1_700_000_000_000_000_000n + BigInt(i) * step;
  const indices = Array.from({ length: 500 }, (_, i) => i).filter((i) => i < 200 || i >= 230);
  const times = BigInt64Array.from(indices, at);
  const values = wrapAngles(Float64Array.from(indices, (i) => 18 * (i / 50) ** 2));
  const frequency = frequencyOf({ times, values }, { nominal: 60 });
  indices.forEach((i, k) => {
    const oneSided = i === 0 || i === 199 || i === 230 || i === 499;
    const wanted = 60 + (i + (oneSided ? (i === 0 || i === 230 ? 0.5 : -0.5) : 0)) / 500;
    assert(Math.abs(frequency.values[k]! - wanted) < 1e-10, `${i}: ${frequency.values[k]}`);
  });
  const rocof = rocofOf({ times, values: Float64Array.from(indices, (i) => 60 + i / 500) });
  assert(rocof.values.every((value) => Math.abs(value - 0.1) < 1e-9));
  const lonely = frequencyOf({ times: times.subarray(0, 1), values: values.subarray(0, 1) }, {
    nominal: 60,
  });
  assertEquals([...lonely.values], [NaN]);
  const nan = Float64Array.of(60, NaN, 60, 60);
  assertEquals([...rocofOf({ times: times.slice(0, 4), values: nan }).values], [NaN, NaN, 0, 0]);
  const twice = BigInt64Array.of(0n, 5n, 5n);
  assertThrows(
    () => rocofOf({ times: twice, values: new Float64Array(3) }),
    RangeError,
    "times[2] is 5, expected after 5",
  );
  assertThrows(() => frequencyOf({ times, values }, { nominal: 0 }), RangeError, "nominal is 0");
});

Deno.test("cyclePhasors and cycleRms: a wave with harmonics, by the plain sums, without the cycles that have gaps", () => {
  const N = 33, frequency = 60;
  const start = 1_700_000_000_123_456_789n;
  const at = (i: number) => start + BigInt(i) * 1_000_000_000n / BigInt(N * frequency);
  const indices = Array.from({ length: 40 * N }, (_, i) => i).filter((i) => i !== 100 && i !== 500);
  const times = BigInt64Array.from(indices, at);
  const second = (time: bigint) => Number(time % 1_000_000_000n) / 1e9;
  const values = Float64Array.from(times, (time) => {
    const turns = 2 * Math.PI * frequency * second(time);
    return Math.SQRT2 * 100 * Math.cos(turns - 1) + 7 * Math.cos(3 * turns + 2) + 1;
  });
  for (const step of [N, 1, 50]) {
    const phasors = cyclePhasors({ times, values }, { frequency, samplesPerCycle: N, step });
    const rms = cycleRms({ times, values }, { frequency, samplesPerCycle: N, step });
    const wanted: [bigint, number, number, number][] = [];
    let skipped = 0;
    for (let from = 0; from + N <= times.length; from += step) {
      if (indices[from + N - 1]! - indices[from]! !== N - 1) {
        skipped++;
        continue;
      }
      let [x, y, s] = [0, 0, 0];
      for (let k = 0; k < N; k++) {
        const turn = 2 * Math.PI * (frequency * second(times[from]!) + k / N);
        x += values[from + k]! * Math.cos(turn);
        y -= values[from + k]! * Math.sin(turn);
        s += values[from + k]! ** 2;
      }
      wanted.push([
        times[from]!,
        Math.SQRT2 / N * Math.hypot(x, y),
        Math.atan2(y, x),
        Math.sqrt(s / N),
      ]);
    }
    assertEquals([phasors.skipped, rms.skipped, phasors.times.length], [
      skipped,
      skipped,
      wanted.length,
    ]);
    assertEquals(rms.times, phasors.times);
    wanted.forEach(([first, magnitude, angle, root], i) => {
      assertEquals(phasors.times[i]! - first, 8_080_808n);
      assert(Math.abs(phasors.magnitude[i]! - magnitude) < 1e-10);
      assert(Math.abs(phasors.angle[i]! - angle * 180 / Math.PI) < 1e-9);
      assert(Math.abs(rms.values[i]! - root) < 1e-11);
      assert(Math.abs(phasors.magnitude[i]! - 100) < 1e-3 && Math.abs(angle + 1) < 1e-3);
    });
  }
  const wrong = cyclePhasors({ times, values }, { frequency: 50, samplesPerCycle: N });
  assertEquals([wrong.times.length, wrong.skipped], [0, 39]);
  assertThrows(
    () => cycleRms({ times, values }, { frequency: 60, samplesPerCycle: 2 }),
    RangeError,
    "samplesPerCycle is 2",
  );
  assertEquals(
    cycleRms({ times: times.slice(0, 5), values: values.slice(0, 5) }, {
      frequency,
      samplesPerCycle: N,
    }).values.length,
    0,
  );
});

Deno.test("phasor: arguments that are wrong are named", () => {
  const one = Float64Array.of(1), two = new Float64Array(2);
  assertThrows(
    () => toRectangular({ magnitude: one, angle: two }),
    RangeError,
    "phasors.angle has 2 elements, expected 1",
  );
  assertThrows(
    () => toRectangular({ magnitude: [1] as never, angle: one }),
    TypeError,
    "phasors.magnitude is an Array",
  );
  assertThrows(
    () => toRectangular(undefined as never),
    TypeError,
    "phasors.magnitude is undefined",
  );
  assertThrows(
    () => sincos(one, { unit: "turns" as never }),
    RangeError,
    'unit is "turns", expected "degrees" or "radians"',
  );
  assertThrows(
    () => angleDifference(one, two),
    RangeError,
    "b has 2 elements, expected 1 as a has",
  );
  assertThrows(() => perUnit(one, 0), RangeError, "base is 0, expected a finite number above 0");
  const ok = { magnitude: one, angle: one };
  assertThrows(
    () => powerOf(ok, ok, { phases: 2 as never }),
    RangeError,
    "phases is 2, expected 1 or 3",
  );
  assertThrows(() => wrapAngles(one, { range: "both" as never }), RangeError, 'range is "both"');
  assertEquals([...angleDifference(Float64Array.of(-170), Float64Array.of(170))], [20]);
  for (const none of [undefined, null] as unknown[] as never[]) {
    assertThrows(() => toPolar(none), TypeError, "phasors.real is undefined");
    assertThrows(() => toRectangular(none), TypeError, "phasors.magnitude is undefined");
  }
  // A unit instead of options would be left out in silence.
  const calls: ((options: never) => unknown)[] = [
    (options) => sincos(one, options),
    (options) => toRectangular(ok, options),
    (options) => toPolar({ real: one, imaginary: one }, options),
    (options) => powerOf(ok, ok, options),
    (options) => symmetricalComponents(ok, ok, ok, options),
    (options) => wrapAngles(one, options),
    (options) => unwrapAngles(one, options),
    (options) => angleDifference(one, one, options),
    (options) => frequencyOf({ times: BigInt64Array.of(1n), values: one }, options),
    (options) => rocofOf({ times: BigInt64Array.of(1n), values: one }, options),
    (options) => cyclePhasors({ times: BigInt64Array.of(1n), values: one }, options),
    (options) => cycleRms({ times: BigInt64Array.of(1n), values: one }, options),
  ];
  for (const call of calls) {
    assertThrows(
      () => call("radians" as never),
      TypeError,
      'options is "radians", expected an object',
    );
    assertThrows(() => call(null as never), TypeError, "options is null, expected an object");
  }
  const gone = new Float64Array(1);
  structuredClone(gone, { transfer: [gone.buffer] });
  assertThrows(
    () => toPolar({ real: gone, imaginary: gone }),
    TypeError,
    "the buffer of phasors.real is detached",
  );
});

Deno.test("phasors: a result does not depend on what stands beside it in the columns", () => {
  // Lanes of the kernel go two by two: one that is unusual must not change how the other is computed.
  const random = new Random(19);
  const odd = [0, -0, NaN, Infinity, 1e300, 5e-324, 2 ** 30, 1e18, Math.PI, 90];
  const n = 600;
  const column = (scale: number): Float64Array =>
    Float64Array.from(
      { length: n },
      () => random.chance(0.2) ? random.pick(odd) : (random.next() - 0.5) * scale,
    );
  const [a, b, c] = [0, 1, 2].map(() => ({ magnitude: column(2e4), angle: column(720) }));
  const part = ({ magnitude, angle }: PolarColumns, i: number, k: number): PolarColumns => ({
    magnitude: magnitude.slice(i, k),
    angle: angle.slice(i, k),
  });
  for (const unit of ["degrees", "radians"] as const) {
    const all = (i: number, k: number): Float64Array[] => {
      const [p, q, r] = [a!, b!, c!].map((one) => part(one, i, k));
      const { zero, positive, negative } = symmetricalComponents(p!, q!, r!, { unit });
      const { active, reactive, apparent, powerFactor } = powerOf(p!, q!, { unit });
      const { sine, cosine } = sincos(p!.angle, { unit });
      const { real, imaginary } = toRectangular(p!, { unit });
      const polar = toPolar({ real: p!.magnitude, imaginary: q!.magnitude }, { unit });
      return [zero, positive, negative, polar].flatMap(({ magnitude, angle }) => [magnitude, angle])
        .concat([active, reactive, apparent, powerFactor, sine, cosine, real, imaginary]);
    };
    const whole = all(0, n);
    for (let i = 0; i < n; i++) {
      all(i, i + 1).forEach(([value], f) => {
        assert(Object.is(value, whole[f]![i]), `${unit}, function ${f}, element ${i}`);
      });
    }
  }
});
