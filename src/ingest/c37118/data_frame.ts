/**
 * Measurements as objects, and what their status words say (IEEE C37.118.2-2011, 6.3).
 *
 * @module
 */

import { integerOption } from "./options.ts";
import type { StationConfiguration } from "./configuration.ts";

/** Measurements of one PMU at one time. Absent values are NaN. */
export interface StationData {
  /** Its configuration: names, units, form of the phasors. */
  configuration: StationConfiguration;
  /** Status word, 16 bits: see {@linkcode stationStatusOf}. */
  stat: number;
  /**
   * Two numbers a phasor, V or A: magnitude and angle (rad) if the configuration says `polar`, else
   * real and imaginary part.
   */
  phasors: Float64Array;
  /** Frequency, Hz. */
  frequency: number;
  /** Rate of change of frequency, Hz/s. */
  rocof: number;
  /** Analogs, in the units of the device. */
  analogs: Float64Array;
  /** Words of digital inputs. */
  digitals: Uint16Array;
}

/** Decoded status word (Table 7). */
export interface StationStatus {
  /** Bits 15 and 14: 0 good, 1 PMU error, 2 test mode or absent data, 3 do not use. */
  dataError: 0 | 1 | 2 | 3;
  /** True if the PMU is in sync with UTC (bit 13). */
  synchronised: boolean;
  /** True if data are sorted by arrival, not by time (bit 12). */
  sortedByArrival: boolean;
  /** True if a trigger was detected (bit 11). */
  triggered: boolean;
  /** True if the configuration will change within a minute (bit 10). */
  configurationChange: boolean;
  /** True if data were modified on the way (bit 9). */
  modified: boolean;
  /** Largest error of time, code 0 to 7 (bits 8 to 6). */
  timeQuality: number;
  /** Time since lock was lost, code 0 to 3 (bits 5 and 4). */
  unlockedTime: number;
  /** Reason of the trigger, code 0 to 15 (bits 3 to 0). */
  triggerReason: number;
}

/**
 * Decodes the status word (STAT) of a station.
 *
 * @throws {RangeError} If it is no word of 16 bits.
 */
export function stationStatusOf(stat: number): StationStatus {
  integerOption("read the status", stat, "stat", 0, 65_535);
  return {
    dataError: (stat >> 14 & 3) as StationStatus["dataError"],
    synchronised: (stat & 0x2000) === 0,
    sortedByArrival: (stat & 0x1000) !== 0,
    triggered: (stat & 0x0800) !== 0,
    configurationChange: (stat & 0x0400) !== 0,
    modified: (stat & 0x0200) !== 0,
    timeQuality: stat >> 6 & 7,
    unlockedTime: stat >> 4 & 3,
    triggerReason: stat & 15,
  };
}

/** Status bit: the configuration will change. */
export const STAT_CONFIGURATION_CHANGE = 0x0400;

/** Tells whether a status word marks the values as absent, of a test, or not to be used. */
export function isInvalid(stat: number): boolean {
  return (stat & 0x8000) !== 0;
}

/**
 * Reading of the frequency: `actual` takes it as Hz, `deviation` as the difference from nominal; `auto`
 * follows the standard (integers are deviations in mHz, floats Hz), but takes a float below 10 as a
 * deviation, as some devices send it. With `actual` an integer is unsigned, in mHz.
 */
export type FrequencyForm = "auto" | "actual" | "deviation";
