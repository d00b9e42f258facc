/**
 * Ten minutes of three-phase synchrophasors at 120 Hz, with a voltage sag in them.
 *
 * @module
 */

import { SECOND, toNanoseconds } from "@btrdb/btrdb";
import type { Recording, Series } from "./recording.ts";

const RATE = 120;
const SECONDS = 600;
const NOMINAL_VOLTS = 7200;

/** A fault on phase 1 begins here, s after the start. */
const SAG_SECONDS = 372.45;
/** It is cleared after eleven cycles of 60 Hz. */
const SAG_LENGTH = 11 / 60;
/** Share of the voltage that remains on each phase: the faulted one sags, the others swell. */
const SAG_REMAINS = [0.58, 1.04, 1.03];

/** Uniform numbers in [0, 1), the same ones for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** About normal noise with deviation 1: the sum of twelve uniform numbers. */
function noise(next: () => number): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += next();
  return sum;
}

/** Share of the nominal voltage on a phase, `seconds` after the start: 1 outside the sag. */
function remaining(phase: number, seconds: number): number {
  const after = seconds - SAG_SECONDS;
  if (after < 0) return 1;
  const depth = SAG_REMAINS[phase]! - 1;
  if (after < SAG_LENGTH) return 1 + depth;
  return 1 + depth * Math.exp(-(after - SAG_LENGTH) / 0.08);
}

/** Degrees that the phasors have turned since the start, for a grid that wanders around 60 Hz. */
function turned(seconds: number): number {
  return 360 * 0.9 * (1 - Math.cos(seconds / 45)) + 20 * Math.sin(seconds / 7);
}

/** Degrees in [−180, 180). */
function wrap(degrees: number): number {
  return degrees - 360 * Math.floor((degrees + 180) / 360);
}

/** Magnitude and angle of one phase. */
function phase(number: number, times: BigInt64Array): [Series, Series] {
  const next = random(number + 1);
  const magnitude = new Float64Array(times.length);
  const angle = new Float64Array(times.length);
  for (let i = 0; i < times.length; i++) {
    const seconds = i / RATE;
    const slow = 25 * Math.sin(seconds / 90 + number) + 6 * Math.sin(seconds / 3.7 + 2 * number);
    const volts = (NOMINAL_VOLTS + slow) * remaining(number, seconds) + 1.5 * noise(next);
    magnitude[i] = Math.round(volts * 1000) / 1000;
    const degrees = wrap(turned(seconds) - 120 * number + 0.02 * noise(next));
    angle[i] = Math.round(degrees * 10000) / 10000;
  }
  return [
    { name: `L${number + 1}MAG`, unit: "volts", columns: { times, values: magnitude } },
    { name: `L${number + 1}ANG`, unit: "degrees", columns: { times, values: angle } },
  ];
}

/**
 * Makes the recording: six streams of 72,000 points each, the same ones every time.
 *
 * @returns Magnitude (volts) and angle (degrees) of three phases.
 */
export function makeSignals(): Recording {
  const start = toNanoseconds("2026-01-01T00:00:00Z");
  const length = RATE * SECONDS;
  const times = BigInt64Array.from(
    { length },
    (_, i) => start + BigInt(i) * SECOND / BigInt(RATE),
  );
  const phases = [0, 1, 2].map((number) => phase(number, times));
  return {
    collection: "demo/feeder-12",
    source: `${SECONDS / 60} minutes of three-phase synchrophasors at ${RATE} Hz, made up`,
    series: [...phases.map(([magnitude]) => magnitude), ...phases.map(([, angle]) => angle)],
  };
}
