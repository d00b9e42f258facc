/**
 * The configurations that data frames are read by.
 *
 * @module
 */

import { compareBytes } from "../../core/bytes.ts";
import type { ConfigurationBudget } from "./configuration_budget.ts";
import { DataLayout, type StationLayout } from "./data_layout.ts";
import { decodeConfiguration } from "./decode_configuration.ts";
import { type Configuration, formatOf } from "./configuration.ts";
import { CHECKSUM_BYTES, type FrameHeader, HEADER_BYTES } from "./frame_header.ts";

/** Most bytes of memory that configurations may take; the oldest go first. */
const MAX_BYTES = 64 << 20;
/** Memory of a decoded configuration, measured: of each byte of it, and of each station. */
const BYTES_PER_BYTE = 10;
const BYTES_PER_STATION = 512;
/** Most bytes of the fragments of one CFG-3. */
const MAX_FRAGMENT_BYTES = 1 << 20;
/** Most fragments of one CFG-3, and memory that each takes beside its bytes. */
const MAX_FRAGMENTS = 4096;
const BYTES_PER_FRAGMENT = 256;
/** Most CFG-3 whose fragments are collected at a time. */
const MAX_FRAGMENTED = 16;
/** Number of the last fragment (6.4, Table 10). */
const LAST_FRAGMENT = 65_535;

interface Entry {
  layout: DataLayout;
  /** Of the frame, to know it again: devices repeat their configuration. */
  content: Uint8Array;
}

/** Fragments of a CFG-3 that is not whole. */
interface Fragments {
  parts: Uint8Array[];
  /** Bytes of all parts. */
  size: number;
}

/** About how much memory an entry takes, bytes. */
function bytesOf({ layout, content }: Entry): number {
  return BYTES_PER_BYTE * content.length + BYTES_PER_STATION * (1 + layout.stations.length);
}

/** Remembers the configuration in use of each data stream. */
export class ConfigurationMemory {
  readonly #entries = new Map<string, Entry>();
  readonly #fragments = new Map<string, Fragments>();
  readonly #budget: ConfigurationBudget | undefined;
  #bytes = 0;
  #fragmentBytes = 0;
  /** Grows with every configuration that comes. */
  generation = 0;

  /** @param budget Of configurations that differ from the one before; unlimited if absent. */
  constructor(budget?: ConfigurationBudget) {
    this.#budget = budget;
  }

  /** About how many bytes of memory all configurations and fragments take. */
  get keptBytes(): number {
    return this.#bytes + this.#fragmentBytes;
  }

  /**
   * Layout in use.
   *
   * @param scopes Origins of the frame, the closest first: numbers of data streams repeat.
   * @param idcode Number of the data stream.
   */
  find(scopes: readonly string[], idcode: number): DataLayout | undefined {
    for (const scope of scopes) {
      const entry = this.#entries.get(`${scope} ${idcode}`);
      if (entry !== undefined) return entry.layout;
    }
    return undefined;
  }

  /**
   * Takes a configuration frame.
   *
   * @param frame The frame.
   * @param header Its common words.
   * @param scopes Origins of the frame; it is remembered for all of these.
   * @returns The configuration; `undefined` while fragments are missing, and if the budget does not
   * suffice. Then the one before is forgotten, as it is not that of the data which follow.
   * @throws {RangeError} If it is malformed.
   */
  take(
    frame: Uint8Array,
    header: FrameHeader,
    scopes: readonly string[],
  ): { configuration: Configuration; layout: DataLayout | undefined } | undefined {
    const body = frame.subarray(HEADER_BYTES, frame.length - CHECKSUM_BYTES);
    const kind = header.type === "cfg1" ? 1 : header.type === "cfg2" ? 2 : 3;
    const content = kind === 3 ? this.#join(body, `${scopes[0]} ${header.idcode}`) : body;
    if (content === undefined) return undefined;
    const known = this.#entries.get(`${scopes[0]} ${header.idcode}`);
    if (known?.layout.configuration.kind === kind && isEqual(known.content, content)) {
      for (const scope of scopes) this.#keep(`${scope} ${header.idcode}`, known.layout, content);
      return { configuration: known.layout.configuration, layout: known.layout };
    }
    if (this.#budget?.take(content.length) === false) {
      for (const scope of scopes) this.#forget(`${scope} ${header.idcode}`);
      return undefined;
    }
    const configuration = decodeConfiguration(header, kind, content);
    // CFG-1 says what a device could send.
    if (kind === 1) return { configuration, layout: undefined };
    const layout = new DataLayout(configuration);
    const copy = content.slice();
    for (const scope of scopes) this.#keep(`${scope} ${header.idcode}`, layout, copy);
    return { configuration, layout: this.find(scopes, header.idcode) };
  }

  #keep(key: string, layout: DataLayout, content: Uint8Array): void {
    this.generation++;
    const old = this.#entries.get(key);
    if (old !== undefined) {
      // CFG-2 and CFG-3 may take turns and say the same; names must not change with them.
      const isOther = old.layout.configuration.kind !== layout.configuration.kind;
      if (isOther && isSameData(old.layout, layout)) return;
      this.#bytes -= bytesOf(old);
      this.#entries.delete(key);
    }
    const added = { layout, content };
    this.#entries.set(key, added);
    this.#bytes += bytesOf(added);
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= MAX_BYTES || oldest === key) break;
      this.#entries.delete(oldest);
      this.#bytes -= bytesOf(entry);
    }
  }

  #forget(key: string): void {
    const known = this.#entries.get(key);
    if (known === undefined) return;
    this.generation++;
    this.#bytes -= bytesOf(known);
    this.#entries.delete(key);
  }

  /** Content of CFG-3 without the number of its fragment, when it is whole. */
  #join(body: Uint8Array, key: string): Uint8Array | undefined {
    if (body.length < 2) throw new RangeError("Cannot read the configuration: it has no CONT_IDX");
    const index = body[0]! << 8 | body[1]!;
    const part = body.slice(2);
    if (index === 0) return part;
    const before = index === 1 ? { parts: [], size: 0 } : this.#fragments.get(key);
    const isNext = before !== undefined &&
      (index === before.parts.length + 1 || (index === LAST_FRAGMENT && before.parts.length > 0));
    this.#dropFragments(key);
    if (!isNext) {
      throw new RangeError(`Cannot join the configuration: fragment ${index} is out of order`);
    }
    const { parts } = before;
    parts.push(part);
    const size = before.size + part.length;
    if (size > MAX_FRAGMENT_BYTES || parts.length > MAX_FRAGMENTS) {
      throw new RangeError(
        `Cannot join the configuration: ${size} bytes in ${parts.length} fragments, ` +
          `expected at most ${MAX_FRAGMENT_BYTES} in ${MAX_FRAGMENTS}`,
      );
    }
    if (index !== LAST_FRAGMENT) {
      const [oldest] = this.#fragments.keys();
      if (this.#fragments.size >= MAX_FRAGMENTED && oldest !== undefined) {
        this.#dropFragments(oldest);
      }
      this.#fragments.set(key, { parts, size });
      this.#fragmentBytes += size + BYTES_PER_FRAGMENT * parts.length;
      return undefined;
    }
    const whole = new Uint8Array(size);
    let at = 0;
    for (const piece of parts) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }

  #dropFragments(key: string): void {
    const known = this.#fragments.get(key);
    if (known === undefined) return;
    this.#fragmentBytes -= known.size + BYTES_PER_FRAGMENT * known.parts.length;
    this.#fragments.delete(key);
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** Largest relative difference of a scale in CFG-2, which is a whole number, from that in CFG-3. */
const SCALE_TOLERANCE = 1e-3;

/** Tells whether two configurations describe the same frames, and give the same values to them. */
function isSameData(a: DataLayout, b: DataLayout): boolean {
  const [one, other] = [a.configuration, b.configuration];
  return a.frameBytes === b.frameBytes && one.timeBase === other.timeBase &&
    a.stations.length === b.stations.length &&
    a.stations.every((layout, i) => isSameStation(layout, b.stations[i]!));
}

function isSameStation(one: StationLayout, two: StationLayout): boolean {
  const [a, b] = [one.station, two.station];
  return a.idcode === b.idcode && a.changeCount === b.changeCount &&
    formatOf(a) === formatOf(b) && a.nominalFrequency === b.nominalFrequency &&
    a.phasors.length === b.phasors.length && a.analogs.length === b.analogs.length &&
    a.phasors.every(({ quantity }, i) => quantity === b.phasors[i]!.quantity) &&
    (a.floatPhasors || one.factors.every((factor, i) => {
      return isNear(factor / one.divisor, two.factors[i]! / two.divisor);
    }));
}

/** Scales that are not known are no contradiction. */
function isNear(a: number, b: number): boolean {
  return Number.isNaN(a) || Number.isNaN(b) ||
    Math.abs(a - b) <= SCALE_TOLERANCE * Math.max(Math.abs(a), Math.abs(b));
}
