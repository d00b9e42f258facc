/**
 * Configurations of C37.118: which stations a data stream has, and how their values are written
 * (IEEE C37.118.2-2011, 6.4, Tables 8 to 12).
 *
 * @module
 */

import { checkObject } from "../../core/check_object.ts";

/** A phasor of a station. */
export interface PhasorChannel {
  /** Name without padding. */
  name: string;
  /** Voltage (V) or current (A). */
  quantity: "voltage" | "current";
  /** Volts or amperes of one bit in integer format. */
  scale: number;
  /** Angle that is subtracted in integer format, rad; CFG-3 only, else 0. */
  angleOffset: number;
  /** Flags about filters and adjustments, 16 bits; CFG-3 only, else 0. */
  flags: number;
  /** Component, 0 to 7: 0 zero, 1 positive, 2 negative sequence, 4 to 6 phase A to C; CFG-3 only. */
  component: number;
  /** Byte for the user; CFG-3 only, else 0. */
  user: number;
}

/** An analog value of a station. */
export interface AnalogChannel {
  /** Name without padding. */
  name: string;
  /** Kind of CFG-1 and CFG-2: 0 sample of a wave, 1 root mean square, 2 peak; 5 to 255 free. */
  kind: number;
  /**
   * Factor. CFG-3: applied to integer values. CFG-1 and CFG-2: signed 24 bits whose meaning is the
   * user's, so that it is not applied.
   */
  scale: number;
  /** Added to integer values; CFG-3 only, else 0. */
  offset: number;
}

/** A word of 16 digital inputs. */
export interface DigitalWord {
  /** Names of its 16 bits, that of bit 0 first. */
  names: string[];
  /** State of each bit that is normal. */
  normal: number;
  /** Bits that are in use. */
  valid: number;
}

/** Details of a station that only CFG-3 has. */
export interface StationDetails {
  /** Global identifier, 16 bytes. */
  globalId: Uint8Array;
  /** Latitude, degrees north; infinite where unknown. */
  latitude: number;
  /** Longitude, degrees east; infinite where unknown. */
  longitude: number;
  /** Elevation, m; infinite where unknown. */
  elevation: number;
  /** Service class, `M` or `P`. */
  serviceClass: string;
  /** Length of the measurement window, µs. */
  window: number;
  /** Delay of the measurement, µs. */
  groupDelay: number;
}

/** A PMU of a data stream. */
export interface StationConfiguration {
  /** Name without padding. */
  name: string;
  /** Number of the PMU. */
  idcode: number;
  /** True if phasors are magnitude and angle (FORMAT bit 0), not real and imaginary part. */
  polar: boolean;
  /** True if phasors are float32 (bit 1), not int16. */
  floatPhasors: boolean;
  /** True if analogs are float32 (bit 2), not int16. */
  floatAnalogs: boolean;
  /** True if FREQ and DFREQ are float32 (bit 3), not int16. */
  floatFrequency: boolean;
  /** Phasors, in the order of the data. */
  phasors: PhasorChannel[];
  /** Analogs, in the order of the data. */
  analogs: AnalogChannel[];
  /** Words of digital inputs, in the order of the data. */
  digitals: DigitalWord[];
  /** Nominal frequency, Hz. */
  nominalFrequency: 50 | 60;
  /** Number of changes of the configuration, 16 bits. */
  changeCount: number;
  /** Further details, from CFG-3 only. */
  details?: StationDetails | undefined;
}

/** Configuration of a data stream. */
export interface Configuration {
  /** Kind of frame: CFG-1 says what could be sent, CFG-2 and CFG-3 what is sent. */
  kind: 1 | 2 | 3;
  /** Number of the data stream. */
  idcode: number;
  /** Units of a second that fractions are counted in, 1 to 2^24 - 1. */
  timeBase: number;
  /** Frames per second if positive, seconds per frame if negative. */
  dataRate: number;
  /** PMUs, in the order of the data. */
  stations: StationConfiguration[];
}

/** Size of a station's part of a data frame, bytes. */
export function stationBytes(station: StationConfiguration): number {
  return 2 + station.phasors.length * (station.floatPhasors ? 8 : 4) +
    (station.floatFrequency ? 8 : 4) + station.analogs.length * (station.floatAnalogs ? 4 : 2) +
    2 * station.digitals.length;
}

/** Number of a station's FORMAT word, 0 to 15. */
export function formatOf(station: StationConfiguration): number {
  checkObject("tell the format", "station", station);
  return Number(station.polar) | Number(station.floatPhasors) << 1 |
    Number(station.floatAnalogs) << 2 | Number(station.floatFrequency) << 3;
}
