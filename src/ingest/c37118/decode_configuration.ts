/**
 * Reads configuration frames: CFG-1, CFG-2, and CFG-3 whose fragments are joined.
 *
 * @module
 */

import type {
  AnalogChannel,
  Configuration,
  DigitalWord,
  PhasorChannel,
  StationConfiguration,
  StationDetails,
} from "./configuration.ts";
import type { FrameHeader } from "./frame_header.ts";

/** Bytes of the shortest station: a name, seven words, and FNOM and CFGCNT among them. */
const MIN_STATION_BYTES = 20;

/** Reads big-endian fields one after the other; none beyond the end. */
class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  /** Fails unless there are so many more bytes. */
  expect(bytes: number, what: string): void {
    if (bytes <= this.left) return;
    throw new RangeError(
      `Cannot read the configuration: ${what} needs ${bytes} bytes, ${this.left} are left`,
    );
  }

  #next(bytes: number): number {
    this.expect(bytes, "a field");
    this.at += bytes;
    return this.at - bytes;
  }

  u8(): number {
    return this.#view.getUint8(this.#next(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#next(2));
  }
  i16(): number {
    return this.#view.getInt16(this.#next(2));
  }
  u32(): number {
    return this.#view.getUint32(this.#next(4));
  }
  i32(): number {
    return this.#view.getInt32(this.#next(4));
  }
  f32(): number {
    return this.#view.getFloat32(this.#next(4));
  }
  raw(bytes: number): Uint8Array {
    const at = this.#next(bytes);
    return this.#bytes.slice(at, at + bytes);
  }

  /** A name of 16 bytes, padded with blanks or NUL. */
  fixedName(): string {
    return nameOf(this.raw(16));
  }

  /** A name after its length. */
  sizedName(): string {
    return nameOf(this.raw(this.u8()));
  }
}

/** Made once: a configuration has thousands of names. */
const UTF_8 = new TextDecoder("utf-8", { fatal: true });

/** Text up to the first NUL, without blanks behind it; UTF-8, else ISO 8859-1. */
function nameOf(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  const content = nul < 0 ? bytes : bytes.subarray(0, nul);
  let text: string;
  try {
    text = UTF_8.decode(content);
  } catch {
    text = Array.from(content, (byte) => String.fromCharCode(byte)).join("");
  }
  return text.trimEnd();
}

/** Calls `read` so many times, after a check that the bytes can be there. */
function list<T>(reader: FieldReader, count: number, bytes: number, read: () => T): T[] {
  reader.expect(count * bytes, `a list of ${count}`);
  return Array.from({ length: count }, read);
}

/** A whole configuration from the content of its frame. */
export function decodeConfiguration(
  header: FrameHeader,
  kind: Configuration["kind"],
  content: Uint8Array,
): Configuration {
  const reader = new FieldReader(content);
  const timeBase = reader.u32() & 0xff_ffff;
  if (timeBase === 0) throw new RangeError("Cannot read the configuration: TIME_BASE is 0");
  const count = reader.u16();
  if (count === 0) throw new RangeError("Cannot read the configuration: NUM_PMU is 0");
  const stations = list(
    reader,
    count,
    MIN_STATION_BYTES,
    () => kind === 3 ? station3(reader) : station2(reader),
  );
  const dataRate = reader.i16();
  if (reader.left > 0) {
    throw new RangeError(`Cannot read the configuration: ${reader.left} bytes are left over`);
  }
  return { kind, idcode: header.idcode, timeBase, dataRate, stations };
}

interface Counts {
  idcode: number;
  format: number;
  phasors: number;
  analogs: number;
  digitals: number;
}

function counts(reader: FieldReader): Omit<Counts, "idcode"> {
  return {
    format: reader.u16(),
    phasors: reader.u16(),
    analogs: reader.u16(),
    digitals: reader.u16(),
  };
}

function formats(format: number) {
  return {
    polar: (format & 1) !== 0,
    floatPhasors: (format & 2) !== 0,
    floatAnalogs: (format & 4) !== 0,
    floatFrequency: (format & 8) !== 0,
  };
}

/** Numbers behind the channels: nominal frequency and how often the configuration was changed. */
function ending(
  reader: FieldReader,
): Pick<StationConfiguration, "nominalFrequency" | "changeCount"> {
  return { nominalFrequency: (reader.u16() & 1) !== 0 ? 50 : 60, changeCount: reader.u16() };
}

function station2(reader: FieldReader): StationConfiguration {
  const name = reader.fixedName();
  const idcode = reader.u16();
  const { format, ...n } = counts(reader);
  const phasorNames = list(reader, n.phasors, 20, () => reader.fixedName());
  const analogNames = list(reader, n.analogs, 20, () => reader.fixedName());
  const digitalNames = list(
    reader,
    n.digitals,
    260,
    () => Array.from({ length: 16 }, () => reader.fixedName()),
  );
  const phasors = phasorNames.map((name): PhasorChannel => {
    const unit = reader.u32();
    return {
      name,
      quantity: unit >>> 24 === 0 ? "voltage" : "current",
      scale: (unit & 0xff_ffff) / 1e5,
      angleOffset: 0,
      flags: 0,
      component: 0,
      user: 0,
    };
  });
  const analogs = analogNames.map((name): AnalogChannel => {
    const unit = reader.u32();
    return { name, kind: unit >>> 24, scale: unit << 8 >> 8, offset: 0 };
  });
  const digitals = digitalNames.map((names): DigitalWord => {
    return { names, normal: reader.u16(), valid: reader.u16() };
  });
  return { name, idcode, ...formats(format), phasors, analogs, digitals, ...ending(reader) };
}

function station3(reader: FieldReader): StationConfiguration {
  const name = reader.sizedName();
  const idcode = reader.u16();
  const globalId = reader.raw(16);
  const { format, ...n } = counts(reader);
  const phasorNames = list(reader, n.phasors, 13, () => reader.sizedName());
  const analogNames = list(reader, n.analogs, 9, () => reader.sizedName());
  const digitalNames = list(
    reader,
    n.digitals,
    20,
    () => Array.from({ length: 16 }, () => reader.sizedName()),
  );
  const phasors = phasorNames.map((name): PhasorChannel => {
    const flags = reader.u16();
    const kind = reader.u8();
    return {
      name,
      quantity: (kind & 8) === 0 ? "voltage" : "current",
      component: kind & 7,
      flags,
      user: reader.u8(),
      scale: reader.f32(),
      angleOffset: reader.f32(),
    };
  });
  const analogs = analogNames.map((name): AnalogChannel => {
    return { name, kind: 0, scale: reader.f32(), offset: reader.f32() };
  });
  const digitals = digitalNames.map((names): DigitalWord => {
    return { names, normal: reader.u16(), valid: reader.u16() };
  });
  const details: StationDetails = {
    globalId,
    latitude: reader.f32(),
    longitude: reader.f32(),
    elevation: reader.f32(),
    serviceClass: String.fromCharCode(reader.u8()),
    window: reader.i32(),
    groupDelay: reader.i32(),
  };
  const end = ending(reader);
  return { name, idcode, ...formats(format), phasors, analogs, digitals, ...end, details };
}
