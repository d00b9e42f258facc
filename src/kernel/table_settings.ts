/**
 * The layout of a table as the kernel takes it.
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";
import { describe } from "../core/describe.ts";
import type { ExtendedArena } from "./extended_arena.ts";
import { NULL_WORDS } from "./null_words.ts";
import type { ColumnRole, TableOptions } from "./table_options.ts";
import { IMPLICIT_TIMES, timeForm } from "./time_form.ts";

const ROLES: Readonly<Record<ColumnRole, number>> = { skip: 0, time: 1, value: 2, spare: 3 };
/** The role of the first part of a time. */
const PART = 8;
/** Most parts of a time. */
const MAX_PARTS = 4;
/** Most columns of a table. */
export const MAX_COLUMNS = 65_536;
const COMMA = 44;
const ALL_TIMES = { first: -(1n << 63n), last: (1n << 63n) - 1n };

/** Settings of the kernel, from checked options. */
export class TableSettings {
  readonly #options: TableOptions;
  readonly #timeKind: number;
  readonly #decimal: number;
  /** Number of cells of a time; 0 if it is one. */
  readonly #parts: number;
  /** Beginnings of the parts of {@linkcode TableSettings.tables}. */
  readonly #at: { pattern: number; words: number; zones: number; changes: number };
  /** A byte for each column. */
  readonly roles: Uint8Array;
  /** The byte between cells. */
  readonly delimiter: number;
  /** Number of value columns. */
  readonly width: number;
  /** Pattern of the times, words for no value, names of zones, changes of clocks. */
  readonly tables: Uint8Array;
  /** Numbers that stand for no value. */
  readonly absent: readonly number[];

  /** @throws {TypeError} If the options do not describe a table. */
  constructor(options: TableOptions) {
    const { columns, delimiter = ",", decimal = ".", times, nulls = [] } = options;
    checkColumns(columns, times !== undefined);
    if (times !== undefined && options.skipBadRows === true) {
      throw invalidType(
        "Cannot parse table: skipBadRows is true, expected false with times, which count rows",
      );
    }
    this.absent = nulls.flatMap((word) => numberOf(word, decimal));
    if (!/^[\t -~]$/.test(delimiter) || /["\d]/.test(delimiter)) {
      throw invalidType(
        `Cannot parse table: delimiter is ${
          JSON.stringify(delimiter)
        }, expected one byte of ASCII ` +
          "that is no quote, digit or decimal point",
      );
    }
    const order = options.timeOrder ??
      columns.flatMap((role, i) => role === "time" ? [i] : []);
    this.#parts = order.length > 1 ? order.length : 0;
    this.roles = Uint8Array.from(
      columns,
      (role, i) => role === "time" && order.length > 1 ? PART + order.indexOf(i) : ROLES[role],
    );
    this.#options = options;
    this.delimiter = delimiter.charCodeAt(0);
    this.#decimal = decimal.charCodeAt(0);
    const { kind, pattern } = timeForm(this.timeFormat);
    this.#timeKind = times === undefined ? kind : IMPLICIT_TIMES;
    const { bytes, at } = tablesOf(pattern, options);
    this.tables = bytes;
    this.#at = at;
    this.width = columns.filter((role) => role === "value").length;
  }

  /** Smallest and largest time of a row, ns. */
  get limits(): { readonly first: bigint; readonly last: bigint } {
    return this.#options.limits ?? ALL_TIMES;
  }

  /** Form of the times: a unit, a pattern or another name. */
  get timeFormat(): string {
    return this.#options.timeFormat ?? "ns";
  }

  /** Sets the kernel up; {@linkcode TableSettings.tables} are at the address `tables`. */
  apply(exports: ExtendedArena["exports"], tables: number): void {
    const { comment, thousands, skipBadRows, skipBadCells, clockChanges, rate } = this.#options;
    const { offset = 0n, blanks, base = 0n } = this.#options;
    const { pattern, words, zones, changes } = this.#at;
    exports.tableCells(
      this.delimiter,
      this.#decimal,
      thousands?.charCodeAt(0) ?? 0,
      tables + words,
    );
    exports.tableRules(
      blanks === true,
      comment?.charCodeAt(0) ?? 0,
      skipBadRows === true,
      skipBadCells === true,
    );
    exports.tableTimeForm(this.#timeKind, tables + pattern, words - pattern, this.#parts);
    exports.tableTimeBase(base, rate?.rows ?? 0n, rate?.seconds ?? 1n, rate?.fromBase === true);
    exports.tableTimeLimits(this.limits.first, this.limits.last);
    exports.setTimeOffset(offset);
    exports.setZoneNames(tables + zones);
    exports.setFractionComma(this.delimiter !== COMMA);
    exports.setTimeZone(tables + changes, (clockChanges?.length ?? 0) >> 1);
  }
}

/** Tables for the kernel, one after the other. */
function tablesOf(
  pattern: Uint8Array,
  { nulls = [], zoneNames = { UTC: 0n }, clockChanges = new BigInt64Array(0) }: TableOptions,
): { bytes: Uint8Array; at: { pattern: number; words: number; zones: number; changes: number } } {
  const encoder = new TextEncoder();
  const bytes: number[] = [...pattern];
  const words = bytes.length;
  for (const word of [...NULL_WORDS, ...nulls]) {
    // The kernel lowers ASCII letters alone.
    const text = encoder.encode(word.replace(/[A-Z]/g, (c) => c.toLowerCase()));
    if (text.length === 0 || text.length > 255) continue;
    bytes.push(text.length, ...text);
  }
  bytes.push(0);
  const zones = bytes.length;
  for (const [name, ahead] of Object.entries(zoneNames)) {
    const text = encoder.encode(name.toUpperCase());
    bytes.push(text.length, ...text, ...new Uint8Array(BigInt64Array.of(ahead).buffer));
  }
  bytes.push(0);
  const changes = bytes.length;
  const all = new Uint8Array(bytes.length + clockChanges.byteLength);
  all.set(bytes);
  all.set(new Uint8Array(clockChanges.slice().buffer), bytes.length);
  return { bytes: all, at: { pattern: 0, words, zones, changes } };
}

/** The number that a word for no value is, if it is one. */
function numberOf(word: string, decimal: string): number[] {
  const text = word.trim().replace(decimal, ".");
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? [Number(text)] : [];
}

function checkColumns(columns: readonly ColumnRole[], implicit: boolean): void {
  if (!Array.isArray(columns)) {
    throw invalidType(
      `Cannot parse table: columns is ${describe(columns)}, expected an array`,
    );
  }
  if (columns.length < 1 || columns.length > MAX_COLUMNS) {
    throw invalidType(
      `Cannot parse table: it has ${columns.length} columns, expected 1 to ${MAX_COLUMNS}`,
    );
  }
  const times = columns.filter((role) => role === "time").length;
  if (implicit ? times !== 0 : times < 1 || times > MAX_PARTS) {
    const expected = implicit ? "0" : `1 to ${MAX_PARTS}`;
    throw invalidType(`Cannot parse table: ${times} columns are times, expected ${expected}`);
  }
}
