/**
 * A grid to be measured by simulated PMUs: three phases with a voltage sag and an excursion of the
 * frequency, the same for the same seed.
 *
 * @module
 */

import { outOfRange } from "../../core/argument_error.ts";
import { checkObject } from "../../core/check_object.ts";
import type { Configuration, StationConfiguration } from "./configuration.ts";
import { checkConfiguration, integerOption } from "./options.ts";

/** Options of a simulated PMU's configuration. */
export interface SimulatedConfigurationOptions {
  /** Number of the data stream and its PMU, 1 to 65534. @default {1} */
  id?: number | undefined;
  /** Name of the station. @default {"SIM 1", with the number} */
  station?: string | undefined;
  /** FORMAT word, 0 to 15: bit 0 polar, 1 float phasors, 2 float analogs, 3 float frequency. @default {15} */
  format?: number | undefined;
  /** Frames per second. @default {60} */
  rate?: number | undefined;
  /** Phasors: VA, VB, VC, IA, IB, IC, and so on, 0 to 1000. @default {6} */
  phasors?: number | undefined;
  /** Analogs, 0 to 1000. @default {1} */
  analogs?: number | undefined;
  /** Words of digital inputs, 0 to 100. @default {1} */
  digitals?: number | undefined;
  /** Nominal frequency, Hz. @default {60} */
  nominalFrequency?: 50 | 60 | undefined;
  /** Units of a second. @default {1_000_000} */
  timeBase?: number | undefined;
  /** Kind of configuration frame. @default {2} */
  kind?: 2 | 3 | undefined;
  /** Number of changes of the configuration. @default {1} */
  changeCount?: number | undefined;
}

/** Volts of one bit: 134 kV in 16 bits with room for a swell. */
const VOLTS_PER_BIT = 5.5;
/** Amperes of one bit. */
const AMPERES_PER_BIT = 0.05;
/** Volts per kilovolt line to ground of the simulated line. */
const NOMINAL_VOLTS = 132_790.5618;
const NOMINAL_AMPERES = 500;

/** Configuration of a simulated PMU. */
export function simulatedConfiguration(
  options: SimulatedConfigurationOptions = {},
): Configuration {
  const action = "simulate the PMU";
  checkObject(action, "options", options);
  const id = integerOption(action, options.id ?? 1, "id", 1, 65_534);
  const format = integerOption(action, options.format ?? 15, "format", 0, 15);
  const dataRate = integerOption(action, options.rate ?? 60, "rate", 1, 1000);
  const phasors = integerOption(action, options.phasors ?? 6, "phasors", 0, 1000);
  const analogs = integerOption(action, options.analogs ?? 1, "analogs", 0, 1000);
  const digitals = integerOption(action, options.digitals ?? 1, "digitals", 0, 100);
  const timeBase = integerOption(
    action,
    options.timeBase ?? 1_000_000,
    "timeBase",
    1,
    0xff_ffff,
  );
  const kind = options.kind ?? 2;
  const station: StationConfiguration = {
    name: options.station ?? `SIM ${id}`,
    idcode: id,
    polar: (format & 1) !== 0,
    floatPhasors: (format & 2) !== 0,
    floatAnalogs: (format & 4) !== 0,
    floatFrequency: (format & 8) !== 0,
    phasors: Array.from({ length: phasors }, (_, i) => {
      const quantity = i % 6 < 3 ? "voltage" as const : "current" as const;
      const scale = quantity === "voltage" ? VOLTS_PER_BIT : AMPERES_PER_BIT;
      return {
        name: phasorName(i),
        quantity,
        scale: kind === 3 ? Math.fround(scale) : scale,
        angleOffset: 0,
        flags: 0,
        component: kind === 3 ? 4 + i % 3 : 0,
        user: 0,
      };
    }),
    analogs: Array.from({ length: analogs }, (_, i) => ({
      name: `P${i + 1}`,
      kind: 0,
      scale: 1,
      offset: 0,
    })),
    digitals: Array.from({ length: digitals }, (_, word) => ({
      names: Array.from({ length: 16 }, (_, bit) => `BRK ${16 * word + bit + 1}`),
      normal: 0,
      valid: 0xffff,
    })),
    nominalFrequency: options.nominalFrequency ?? 60,
    changeCount: integerOption(action, options.changeCount ?? 1, "changeCount", 0, 65_535),
  };
  return { kind, idcode: id, timeBase, dataRate, stations: [station] };
}

/** VA, VB, VC, IA, IB, IC, VA2, … */
function phasorName(i: number): string {
  const group = Math.floor(i / 6);
  return `${i % 6 < 3 ? "V" : "I"}${"ABC"[i % 3]}${group === 0 ? "" : group + 1}`;
}

/** A number from 0 to 1 that is the same for the same arguments (Steele et al., SplitMix, 2014). */
export function noise(seed: number, tick: number, channel: number): number {
  let z = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(tick + 1, 0xc2b2ae35) ^
    Math.imul(channel + 1, 0x27d4eb2f);
  z = Math.imul(z ^ z >>> 16, 0x21f0aaad);
  z = Math.imul(z ^ z >>> 15, 0x735a2d97);
  return ((z ^ z >>> 15) >>> 0) / 2 ** 32;
}

/** Seconds between two sags, and between two excursions. */
const PERIOD = 20;

/** Depth of the voltage sag at a time of the period: none, or 0.4 for 0.3 s. */
function sagAt(second: number): number {
  const at = second % PERIOD;
  return at >= 8 && at < 8.3 ? 0.4 : 0;
}

/** Deviation of the frequency, Hz, and its derivative: falls by 0.3 Hz and comes back within 6 s. */
function excursionAt(second: number): [number, number] {
  const at = second % PERIOD - 12;
  if (at < 0 || at > 6) return [0.01 * Math.sin(second), 0.01 * Math.cos(second)];
  const angle = Math.PI * at / 6;
  const rate = -0.3 * Math.PI / 6;
  return [
    -0.3 * Math.sin(angle) + 0.01 * Math.sin(second),
    rate * Math.cos(angle) + 0.01 * Math.cos(second),
  ];
}

/**
 * Measurements at one tick.
 *
 * @param configuration Values to simulate, and their form.
 * @param soc Second since the Unix epoch.
 * @param tick Number of the frame in the second.
 * @param seed Of the noise and the angle of the station.
 * @returns Values in the order of a data frame, those of the first station.
 * @throws {RangeError} If the configuration has no station, or a number is no whole one.
 */
export function simulatedValues(
  configuration: Configuration,
  soc: number,
  tick: number,
  seed: number,
): Float64Array {
  const action = "simulate the PMU";
  checkConfiguration(action, configuration);
  const { dataRate, stations: [station] } = configuration;
  if (station === undefined) throw outOfRange(`Cannot ${action}: the configuration has no station`);
  integerOption(action, soc, "soc", 0, 0xffff_ffff);
  integerOption(action, tick, "tick", 0, 0xffff_ffff);
  integerOption(action, seed, "seed", Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  const { polar, phasors, analogs, digitals, nominalFrequency } = station;
  const second = soc % 86_400 + tick / dataRate;
  const frame = (soc % 86_400) * dataRate + tick;
  const sag = sagAt(second);
  const [deviation, rocof] = excursionAt(second);
  const values: number[] = [sag > 0 ? 0x0800 : 0];
  const turn = 2 * Math.PI * 0.05 * second + noise(seed, 0, 999);
  for (const [i, { quantity }] of phasors.entries()) {
    const nominal = quantity === "voltage"
      ? NOMINAL_VOLTS * (1 - sag)
      : NOMINAL_AMPERES * (1 + 2 * sag);
    const magnitude = nominal * (1 + 0.001 * (noise(seed, frame, i) - 0.5));
    const lag = quantity === "voltage" ? 0 : 0.4;
    const angle = wrap(turn - 2 * Math.PI / 3 * (i % 3) - lag);
    if (polar) values.push(magnitude, angle);
    else values.push(magnitude * Math.cos(angle), magnitude * Math.sin(angle));
  }
  values.push(nominalFrequency + deviation, rocof);
  for (let i = 0; i < analogs.length; i++) {
    values.push(Math.round(100 * (1 + i) * (1 - sag) + 10 * noise(seed, frame, 500 + i)));
  }
  for (let i = 0; i < digitals.length; i++) values.push(sag > 0 ? 1 : 0);
  return Float64Array.from(values);
}

/** An angle within -pi and pi. */
function wrap(angle: number): number {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
}
