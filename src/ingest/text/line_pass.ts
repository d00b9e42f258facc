/**
 * A pass over a file of line protocol.
 *
 * @module
 */

import { LAST_TIME } from "../../core/range.ts";
import { NO_GROUP } from "../../kernel/group_points.ts";
import { type LineBatch, LineParser, MAX_LINE_BYTES } from "../../kernel/line_parser.ts";
import { ImportError } from "../errors.ts";
import type { Position } from "../source.ts";

/** Reading of the lines. */
export interface LineReading {
  /** Unit of the times, as `--time-format` has it. */
  readonly unit: string;
  /** The same, ns. */
  readonly nsPerUnit: bigint;
  /** True if lines that cannot be read are left out. */
  readonly skipBadRows: boolean;
  /** True if the last line counts even without a line end. */
  readonly complete: boolean;
}

/** Some lines. */
export interface ParsedLines {
  /** Their points; those without a time are in no group. */
  readonly batch: LineBatch;
  /** Position after them. */
  readonly next: Position;
  /** Points of lines without a time, which are left out. */
  readonly timeless: number;
}

/**
 * The time that lines without one get here: no line can have it, as no point can be stored there.
 */
const NO_TIME = LAST_TIME;

const LF = 10;

/** Parses the lines from a position on. */
export class LinePass {
  readonly #chunks: AsyncIterable<Uint8Array>;
  readonly #name: string;
  readonly #reading: LineReading;
  readonly #from: Position;
  readonly #notices: string[] = [];

  /** @param from Position of the first of the bytes. */
  constructor(
    chunks: AsyncIterable<Uint8Array>,
    name: string,
    reading: LineReading,
    from: Position,
  ) {
    this.#chunks = chunks;
    this.#name = name;
    this.#reading = reading;
    this.#from = from;
  }

  /** Remarks, once all lines are read. */
  get notices(): readonly string[] {
    return this.#notices;
  }

  /**
   * The lines in batches.
   *
   * @throws {ImportError} If one cannot be read, or has no time, and none may be left out.
   */
  async *batches(): AsyncGenerator<ParsedLines, void, void> {
    const parser = new LineParser({ unit: this.#reading.nsPerUnit, now: NO_TIME });
    for await (const bytes of this.#wholeLines()) {
      for (const batch of parser.push(bytes)) yield this.#taken(batch, parser);
    }
    for (const batch of parser.finish()) yield this.#taken(batch, parser);
  }

  /** The bytes up to the last line end, or all of them. */
  async *#wholeLines(): AsyncGenerator<Uint8Array, void, void> {
    let rest: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.#chunks) {
      const end = chunk.lastIndexOf(LF) + 1;
      if (end > 0) {
        yield* rest;
        yield chunk.slice(0, end);
        rest = [];
        size = 0;
      }
      if (end === chunk.length) continue;
      rest.push(chunk.slice(end));
      size += chunk.length - end;
      if (size <= MAX_LINE_BYTES) continue;
      // The parser refuses a line that is too long.
      yield* rest;
      rest = [];
      size = 0;
    }
    if (this.#reading.complete) yield* rest;
    else if (rest.length > 0) {
      this.#notices.push(
        `Left out the last line of ${this.#name}, which has no line end: it may still be written; ` +
          "when it is complete, --complete says that it is",
      );
    }
  }

  #taken(batch: LineBatch, parser: LineParser): ParsedLines {
    const { skipBadRows } = this.#reading;
    const [error] = batch.errors;
    // Behind a line that is too long nothing can be read: to leave it out would leave all out.
    if (error !== undefined && (!skipBadRows || parser.isBroken)) {
      throw new ImportError(
        `Cannot import ${this.#name}: line ${this.#from.lines + error.line}: ${error.message}`,
        parser.isBroken ? {} : { hint: "--bad-rows skip leaves such lines out" },
      );
    }
    const timeless = this.#withoutTimes(batch, this.#from.lines + parser.linesParsed);
    const offset = this.#from.offset + parser.bytesParsed;
    const lines = this.#from.lines + parser.linesParsed;
    const rows = this.#from.rows + parser.linesParsed;
    return { batch, next: { offset, lines, rows }, timeless };
  }

  /** Takes the points of lines without a time out of their groups; how many there are. */
  #withoutTimes({ columns: { times }, groups, series }: LineBatch, lastLine: number): number {
    let count = 0;
    for (let at = times.indexOf(NO_TIME); at >= 0; at = times.indexOf(NO_TIME, at + 1)) {
      if (!this.#reading.skipBadRows) {
        const { field, line } = series[groups[at]!]!;
        const first = this.#from.lines + line;
        // The line of the first point of a series in a batch is known.
        const isFirst = groups.indexOf(groups[at]!) === at;
        const where = isFirst ? `line ${first}` : `a line behind line ${first}, up to ${lastLine},`;
        throw new ImportError(
          `Cannot import ${this.#name}: ${where} with ${JSON.stringify(field)} has no time`,
          { hint: "--bad-rows skip leaves such lines out" },
        );
      }
      groups[at] = NO_GROUP;
      count++;
    }
    return count;
  }
}
