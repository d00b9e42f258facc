/** Made records of COMTRADE, of every edition and type, with the oddities of real ones. */

/** Content of a made record; everything has a default. */
export interface MadeRecord {
  revision?: string;
  type?: string;
  station?: string;
  device?: string;
  /** Lines of analog channels, whole; or how many plain ones. */
  analogs?: number | string[];
  statuses?: number | string[];
  frequency?: string;
  rates?: [string, number][];
  nrates?: string;
  first?: string;
  trigger?: string;
  /** Lines behind the type. */
  rest?: string[];
  /** Stamps; `undefined` is a missing one. */
  stamps?: (number | undefined)[];
  /** Samples of each analog channel; `undefined` is a missing one. */
  samples?: (number | undefined)[][];
  /** States of each status channel. */
  states?: number[][];
  /** Number of the first record. */
  from?: number;
  /** Numbers of all records. */
  numbers?: (number | string)[];
  /** Bytes behind the last record. */
  tail?: number[];
}

/** A record as the bytes of its two files. */
export interface MadeFiles {
  configuration: Uint8Array;
  samples: Uint8Array;
}

function channelLines(
  channels: number | string[] | undefined,
  least: number,
  line: (n: number) => string,
): string[] {
  if (Array.isArray(channels)) return channels;
  return Array.from({ length: channels ?? least }, (_, i) => line(i + 1));
}

/** Makes the text of a configuration. */
export function makeConfiguration(record: MadeRecord): string {
  const { revision = "2013", station = "S", device = "D", type = "ASCII" } = record;
  const is1991 = revision === "1991";
  const analogs = channelLines(
    record.analogs,
    record.samples?.length ?? 0,
    (n) => `${n},A${n},A,,V,1,0,0,-99999,99998${is1991 ? "" : ",1,1,P"}`,
  );
  const statuses = channelLines(
    record.statuses,
    record.states?.length ?? 0,
    (n) => is1991 ? `${n},D${n},0` : `${n},D${n},,,0`,
  );
  const rows = rowsOf(record);
  const rates = record.rates ?? [["1000", rows]];
  const rest = record.rest ?? (revision === "2013" ? ["1", "0,0", "0,3"] : is1991 ? [] : ["1"]);
  return [
    `${station},${device}${is1991 ? "" : `,${revision}`}`,
    `${analogs.length + statuses.length},${analogs.length}A,${statuses.length}D`,
    ...analogs,
    ...statuses,
    record.frequency ?? "50",
    record.nrates ?? String(rates.length),
    ...rates.map(([rate, end]) => `${rate},${end}`),
    record.first ?? "01/02/2020,03:04:05.000000",
    record.trigger ?? "01/02/2020,03:04:05.500000",
    type,
    ...rest,
  ].join("\r\n") + "\r\n";
}

function rowsOf({ stamps, samples, states }: MadeRecord): number {
  return Math.max(stamps?.length ?? 0, samples?.[0]?.length ?? 0, states?.[0]?.length ?? 0);
}

/** Makes the samples. */
export function makeSamples(record: MadeRecord): Uint8Array {
  const type = (record.type ?? "ASCII").trim().toUpperCase();
  return type === "ASCII" ? asciiSamples(record) : binarySamples(record, type);
}

function asciiSamples(record: MadeRecord): Uint8Array {
  const { stamps, samples = [], states = [], from = 1, revision = "2013" } = record;
  const missing = revision === "2013" ? "" : "99999";
  let text = "";
  for (let row = 0; row < rowsOf(record); row++) {
    const stamp = stamps === undefined ? row * 1000 : stamps[row];
    const cells = [record.numbers?.[row] ?? from + row, stamp ?? ""];
    for (const channel of samples) cells.push(channel[row] ?? missing);
    for (const channel of states) cells.push(channel[row]!);
    text += `${cells.join(",")}\r\n`;
  }
  return Uint8Array.from([...new TextEncoder().encode(text), ...record.tail ?? []]);
}

function binarySamples(record: MadeRecord, type: string): Uint8Array {
  const { stamps, samples = [], states = [], from = 1, tail = [] } = record;
  const width = type === "BINARY" ? 2 : 4;
  const words = Math.ceil(states.length / 16);
  const length = 8 + width * samples.length + 2 * words;
  const rows = rowsOf(record);
  const bytes = new Uint8Array(length * rows + tail.length);
  bytes.set(tail, length * rows);
  const view = new DataView(bytes.buffer);
  for (let row = 0, at = 0; row < rows; row++) {
    const stamp = stamps === undefined ? row * 1000 : stamps[row];
    view.setUint32(at, Number(record.numbers?.[row] ?? from + row), true);
    view.setUint32(at + 4, stamp ?? 0xffffffff, true);
    at += 8;
    for (const channel of samples) {
      const value = channel[row];
      if (type === "BINARY") view.setInt16(at, value ?? -0x8000, true);
      else if (type === "BINARY32") view.setInt32(at, value ?? -0x80000000, true);
      else view.setFloat32(at, value ?? NaN, true);
      at += width;
    }
    for (let word = 0; word < words; word++, at += 2) {
      let bits = 0;
      for (let bit = 0; bit < 16; bit++) bits |= (states[16 * word + bit]?.[row] ?? 0) << bit;
      view.setUint16(at, bits, true);
    }
  }
  return bytes;
}

/** Makes both files of a record. */
export function makeComtrade(record: MadeRecord): MadeFiles {
  return {
    configuration: new TextEncoder().encode(makeConfiguration(record)),
    samples: makeSamples(record),
  };
}

/** Puts a record into one file. */
export function makeSingleFile(record: MadeRecord, separators?: [string, string]): Uint8Array {
  const { configuration, samples } = makeComtrade(record);
  const type = (record.type ?? "ASCII").trim().toUpperCase();
  const [cfg, dat] = separators ?? [
    "--- file type: CFG ---",
    type === "ASCII"
      ? "--- file type: DAT ASCII ---"
      : `--- file type: DAT ${type}: ${samples.length} ---`,
  ];
  const encoder = new TextEncoder();
  const parts = [
    encoder.encode(`${cfg}\r\n`),
    configuration,
    encoder.encode(`${dat}\r\n`),
    samples,
  ];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
