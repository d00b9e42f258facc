/**
 * Samples in ASCII: a line a record.
 *
 * @module
 */

import { ImportError } from "../errors.ts";
import type { ComtradeRevision } from "./configuration.ts";
import type { RandomBytes } from "./random_bytes.ts";
import { type SampleBlock, type Samples, type SampleShape, wordsOf } from "./samples.ts";

/** A missing sample in the editions of 1991 and 1999. */
const MISSING = 99999;

/** Bytes read at a time. */
const CHUNK_BYTES = 1 << 20;

/** Longest line. */
const MAX_LINE = 16 << 20;

const [LF, CR, SUB, COMMA, BLANK, TAB, PLUS, MINUS, ZERO] = [10, 13, 26, 44, 32, 9, 43, 45, 48];

/** A line of a `.cff` behind which another part begins. */
const SEPARATOR = /^-{2,3}\s*file\s*type\s*:?\s*(\w*)/i;

/** Largest stamp, of either sign: the edition of 2013 has 13 digits for it. */
const MAX_STAMP = 9_999_999_999_999;

/** Properties of the lines to read. */
export interface AsciiOptions {
  readonly shape: SampleShape;
  readonly revision: ComtradeRevision;
  /** Largest sample of each analog channel; `NaN` where it is not known. */
  readonly max: readonly number[];
  /** Name of the file, for errors. */
  readonly name: string;
}

/** Samples in lines. */
export class AsciiSamples implements Samples {
  readonly records = undefined;
  readonly notices: string[] = [];
  readonly #bytes: RandomBytes;
  readonly #options: AsciiOptions;
  /** True if 99999 is a missing sample, by channel. */
  readonly #hasMissing: readonly boolean[];

  constructor(bytes: RandomBytes, options: AsciiOptions) {
    this.#bytes = bytes;
    this.#options = options;
    // The edition of 2013 leaves missing samples out; a channel may then reach that number.
    this.#hasMissing = options.max.map((max) => options.revision !== 2013 || !(max >= MISSING));
  }

  async *blocks(from: number, lines: number, rows: number): AsyncGenerator<SampleBlock> {
    const { shape } = this.#options;
    let block = new Block(shape, rows, from, await this.statesBefore(from));
    let line = lines;
    for await (const { text, end, isEnded } of this.#lines(from)) {
      line++;
      if (text.length === 0) continue;
      if (!isEnded && !this.#isWhole(text)) break;
      if (text[0] === MINUS && this.#isSeparator(text, line)) break;
      this.#parse(text, line, block);
      block.take(end, line);
      if (block.rows < rows) continue;
      yield block.finished();
      block = new Block(shape, rows, end, block.lastStates);
    }
    if (block.rows > 0) yield block.finished();
  }

  /** Tells whether another part begins with a line; it can be one of remarks only. */
  #isSeparator(text: Uint8Array, line: number): boolean {
    const match = SEPARATOR.exec(new TextDecoder("latin1").decode(text));
    if (match === null) return false;
    const part = match[1]!.toUpperCase();
    if (part === "DAT" || part === "CFG") {
      this.#fail(line, `another part ${part} begins, expected one CFG before one DAT`);
    }
    return true;
  }

  /** Tells whether the last line, which has no end, has all cells; says what it finds. */
  #isWhole(text: Uint8Array): boolean {
    const { shape: { analogs, statuses }, name } = this.#options;
    const cells = text.reduce((sum, byte) => sum + Number(byte === COMMA), 1);
    const isWhole = cells >= 2 + analogs + statuses;
    this.notices.push(
      isWhole
        ? `The last line of samples of ${name} has no line end: was it cut?`
        : `${text.length} bytes at the end of the samples are no whole record, left out`,
    );
    return isWhole;
  }

  async statesBefore(offset: number): Promise<Uint16Array | undefined> {
    for (let length = CHUNK_BYTES; offset > 0; length *= 2) {
      const from = Math.max(0, offset - length);
      const lines = new TextDecoder("latin1").decode(await this.#bytes.read(from, offset - from))
        .split("\n").map((line) => line.trim());
      // The first one may have begun before.
      const last = lines.slice(from === 0 ? 0 : 1).findLast((line) => line !== "");
      if (last !== undefined) {
        const block = new Block(this.#options.shape, 1, 0, undefined);
        this.#parse(new TextEncoder().encode(last), 0, block);
        block.take(0, 0);
        return block.lastStates;
      }
      if (from === 0 || length > MAX_LINE) break;
    }
    return undefined;
  }

  /** Lines without their ends and blanks around them, to the end or to a SUB. */
  async *#lines(from: number): AsyncGenerator<{ text: Uint8Array; end: number; isEnded: boolean }> {
    let rest: Uint8Array = new Uint8Array(0);
    for (let at = from; at < this.#bytes.size;) {
      const chunk = await this.#bytes.read(at, CHUNK_BYTES);
      if (chunk.length === 0) break;
      const bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
      const base = at - rest.length;
      at += chunk.length;
      let start = 0;
      for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
        const text = trim(bytes, start, end);
        if (text[0] === SUB) return await this.#noteBehind(base + start);
        yield { text, end: base + end + 1, isEnded: true };
        start = end + 1;
      }
      rest = bytes.subarray(start);
      if (rest.length > MAX_LINE) {
        throw new ImportError(
          `Cannot read ${this.#options.name}: a line of over ${MAX_LINE} bytes`,
        );
      }
    }
    const text = trim(rest, 0, rest.length);
    const size = this.#bytes.size;
    if (text.length > 0 && text[0] !== SUB) yield { text, end: size, isEnded: false };
  }

  /** Says how much stands behind the mark of the end, if that is more than padding. */
  async #noteBehind(at: number): Promise<void> {
    const some = await this.#bytes.read(at, CHUNK_BYTES);
    if (some.every((byte) => byte === SUB || byte === LF || byte === 0 || isBlank(byte))) return;
    const left = this.#bytes.size - at;
    this.notices.push(
      `${left} bytes of the samples of ${this.#options.name} are left out: they are behind 0x1A, ` +
        "which ends a text",
    );
  }

  #parse(text: Uint8Array, line: number, block: Block): void {
    const { shape: { analogs, statuses } } = this.#options;
    const cells = 2 + analogs + statuses;
    let at = 0;
    let cell = 0;
    while (at <= text.length) {
      let end = text.indexOf(COMMA, at);
      if (end < 0) end = text.length;
      if (cell >= cells) {
        // A comma at the end of a line is no cell.
        if (cell === cells && trim(text, at, end).length === 0 && end === text.length) break;
        this.#fail(line, `more than the ${cells} cells of the configuration`);
      }
      this.#cell(text, at, end, cell, line, block);
      cell++;
      at = end + 1;
    }
    if (cell < cells) this.#fail(line, `${cell} cells, expected ${cells}`);
  }

  #cell(
    text: Uint8Array,
    from: number,
    to: number,
    cell: number,
    line: number,
    block: Block,
  ): void {
    const { shape: { analogs } } = this.#options;
    const value = numberIn(text, from, to);
    if (value === undefined) {
      const shown = new TextDecoder("latin1").decode(text.subarray(from, to)).slice(0, 100);
      this.#fail(line, `cell ${cell + 1} is ${JSON.stringify(shown)}, expected a number`);
    }
    if (Math.abs(value) > MAX_STAMP && cell === 1) {
      this.#fail(line, `the stamp is ${value}, expected -${MAX_STAMP} to ${MAX_STAMP}`);
    }
    if (cell === 0) block.number(value);
    else if (cell === 1) block.stamp(value);
    else if (cell < 2 + analogs) {
      const channel = cell - 2;
      block.analog(channel, value === MISSING && this.#hasMissing[channel]! ? NaN : value);
    } else if (value === 0 || value === 1) {
      block.state(cell - 2 - analogs, value);
    } else if (!Number.isNaN(value)) {
      this.#fail(line, `cell ${cell + 1} is ${value}, expected the state 0 or 1`);
    } else block.sameState(cell - 2 - analogs);
  }

  #fail(line: number, problem: string): never {
    throw new ImportError(
      `Cannot read ${this.#options.name}, line ${line} of the samples: ${problem}`,
    );
  }
}

/** A block that is being filled. */
class Block {
  rows = 0;
  readonly #numbers: Float64Array;
  readonly #stamps: Float64Array;
  readonly #analogs: Float64Array[];
  readonly #words: Uint16Array;
  readonly #wordsPerRow: number;
  readonly #from: number;
  #to = 0;
  #lines = 0;

  readonly #before: Uint16Array | undefined;

  constructor(
    shape: SampleShape,
    rows: number,
    from: number,
    before: Uint16Array | undefined,
  ) {
    this.#before = before;
    this.#from = from;
    this.#numbers = new Float64Array(rows);
    this.#stamps = new Float64Array(rows);
    this.#analogs = Array.from({ length: shape.analogs }, () => new Float64Array(rows));
    this.#wordsPerRow = wordsOf(shape);
    this.#words = new Uint16Array(rows * this.#wordsPerRow);
  }

  number(value: number): void {
    this.#numbers[this.rows] = value;
  }

  stamp(value: number): void {
    this.#stamps[this.rows] = value;
  }

  analog(channel: number, value: number): void {
    this.#analogs[channel]![this.rows] = value;
  }

  state(channel: number, value: number): void {
    this.#words[this.rows * this.#wordsPerRow + (channel >> 4)]! |= value << (channel & 15);
  }

  /** A state that is left out: as in the record before. */
  sameState(channel: number): void {
    const words = this.rows > 0 ? this.#statesOf(this.rows - 1) : this.#before;
    this.state(channel, ((words?.[channel >> 4] ?? 0) >> (channel & 15)) & 1);
  }

  /** States of the last record. */
  get lastStates(): Uint16Array | undefined {
    return this.rows > 0 ? this.#statesOf(this.rows - 1).slice() : this.#before;
  }

  #statesOf(row: number): Uint16Array {
    return this.#words.subarray(row * this.#wordsPerRow, (row + 1) * this.#wordsPerRow);
  }

  take(to: number, lines: number): void {
    this.rows++;
    this.#to = to;
    this.#lines = lines;
  }

  finished(): SampleBlock {
    const { rows } = this;
    const isFull = rows === this.#stamps.length;
    const cut = (column: Float64Array) => isFull ? column : column.slice(0, rows);
    return {
      rows,
      numbers: cut(this.#numbers),
      stamps: cut(this.#stamps),
      analogs: this.#analogs.map(cut),
      words: this.#words.subarray(0, rows * this.#wordsPerRow),
      from: this.#from,
      to: this.#to,
      lines: this.#lines,
    };
  }
}

function isBlank(byte: number): boolean {
  return byte === BLANK || byte === TAB || byte === CR;
}

function trim(bytes: Uint8Array, from: number, to: number): Uint8Array {
  while (from < to && isBlank(bytes[from]!)) from++;
  while (to > from && isBlank(bytes[to - 1]!)) to--;
  return bytes.subarray(from, to);
}

/** The number in a cell; `NaN` for an empty one, `undefined` for what is none. */
function numberIn(bytes: Uint8Array, from: number, to: number): number | undefined {
  while (from < to && isBlank(bytes[from]!)) from++;
  while (to > from && isBlank(bytes[to - 1]!)) to--;
  if (from === to) return NaN;
  const sign = bytes[from]!;
  let at = sign === MINUS || sign === PLUS ? from + 1 : from;
  let value = 0;
  if (to - at > 0 && to - at <= 15) {
    for (; at < to; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (at === to) return sign === MINUS ? -value : value;
  }
  const text = new TextDecoder("latin1").decode(bytes.subarray(from, to));
  if (!/^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    return /^[+-]?nan$/i.test(text) ? NaN : undefined;
  }
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}
