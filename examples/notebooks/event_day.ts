/**
 * A day of two made PMUs with an event in it, for docs/analysis.md and its notebook: a power plant in
 * the east trips, and its absence travels west.
 *
 * @module
 */

import { type BTrDB, SECOND } from "@btrdb/btrdb";

/** 2026-03-01 at midnight, UTC. */
export const DAY_START: bigint = 1_772_323_200n * SECOND;
/** Frames a second. */
export const RATE = 30;

const FRAMES = 86_400 * RATE;
const NOMINAL_HZ = 60;
/** The trip, s after midnight. */
const TRIP_S = 51_787.4;

/** A place: when the trip gets there, s later, how much its angle falls behind, and its clock, ns. */
const PLACES = [
  { name: "east", delayS: 0, angle: 41, fallsBy: 14, clockNs: 0n },
  { name: "west", delayS: 0.5, angle: 12, fallsBy: 6, clockNs: 240_000n },
] as const;

/** Frequency less 60 Hz at a place, Hz: the slow wandering of every day, and a dip that recovers. */
function deviation(s: number, delayS: number): number {
  const daily = 0.012 * Math.sin(s / 4000) + 0.006 * Math.sin(s / 371);
  const since = s - TRIP_S - delayS;
  if (since < 0) return daily;
  const dip = -0.21 * (1 - Math.exp(-since / 1.6)) * Math.exp(-since / 55);
  return daily + dip + 0.03 * Math.exp(-since / 3) * Math.sin(2 * Math.PI * 0.7 * since);
}

/**
 * Stores the day: of each PMU the angle of the voltage of phase A in degrees, wrapped, and the
 * frequency in Hz. The one in the west is 240 µs late by its clock and lost its network for three
 * seconds in the morning.
 *
 * @param db The database.
 */
export async function storeEventDay(db: BTrDB): Promise<void> {
  for (const { name, delayS, angle, fallsBy, clockNs } of PLACES) {
    const times = new BigInt64Array(FRAMES);
    const angles = new Float64Array(FRAMES);
    const hertz = new Float64Array(FRAMES);
    let turned = angle;
    for (let i = 0; i < FRAMES; i++) {
      const s = i / RATE;
      const deviates = deviation(s, delayS);
      turned += 360 * deviates / RATE;
      const since = s - TRIP_S - delayS;
      const shift = since < 0 ? 0 : fallsBy * (1 - Math.exp(-since / 0.8));
      times[i] = DAY_START + BigInt(i) * SECOND / BigInt(RATE) + clockNs;
      angles[i] = turned - shift - 360 * Math.round((turned - shift) / 360);
      hertz[i] = NOMINAL_HZ + deviates;
    }
    for (
      const [label, unit, values] of [["VA ANG", "deg", angles], ["FREQ", "Hz", hertz]] as const
    ) {
      const tags = { name: label, unit };
      const stream = await db.create(crypto.randomUUID(), `pmu/${name}`, { tags });
      if (name === "east") {
        await stream.insert({ times, values });
        continue;
      }
      const [from, to] = [22_262 * RATE, 22_265 * RATE];
      await stream.insert({ times: times.subarray(0, from), values: values.subarray(0, from) });
      await stream.insert({ times: times.subarray(to), values: values.subarray(to) });
    }
  }
}
