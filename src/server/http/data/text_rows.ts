/**
 * Rows of text answers: CSV with one column of times, and JSON objects, made from BTrDB's own CSV,
 * because the exact, shortest numbers come from there.
 *
 * @module
 */

import { offsetAt } from "../../../core/clock_changes.ts";
import { formatTime, MINUTE, toNanoseconds } from "../../../core/time.ts";
import { csvLine, csvNames } from "../../../kernel/csv_text.ts";
import type { TimeWord } from "./data_request.ts";

/** Cells of a window: min, mean, max, count. */
const STATISTICS = 4;

/** Length of `2026-01-02T03:04`. */
const MINUTE_LENGTH = 16;

/** Form of the rows. */
export interface TextForm {
  readonly format: "csv" | "ndjson" | "json";
  readonly kind: "raw" | "windows";
  readonly labels: readonly string[];
  readonly time: TimeWord;
  readonly tz: string;
}

/** Turns the rows of BTrDB's CSV into another form. */
export class TextRows {
  readonly #form: TextForm;
  readonly #names: readonly string[];
  readonly #keys: readonly string[];
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  readonly #timeOf: (ns: string, utc: string) => string;
  #hasRows = false;

  constructor(form: TextForm) {
    this.#form = form;
    this.#names = csvNames(form.kind, form.labels).slice(2);
    this.#keys = this.#names.map((name) => `,${JSON.stringify(name)}:`);
    this.#timeOf = timeText(form.time, form.tz);
  }

  /** The bytes before all rows. */
  head(): Uint8Array {
    const { format } = this.#form;
    if (format === "csv") return this.#encoder.encode(csvLine(["time", ...this.#names]));
    return this.#encoder.encode(format === "json" ? "[" : "");
  }

  /**
   * Rows in the form.
   *
   * @param piece Whole rows of CSV, without its header.
   */
  rows(piece: Uint8Array): Uint8Array {
    const text = this.#decoder.decode(piece);
    let out = "";
    for (let at = 0; at < text.length;) {
      const end = text.indexOf("\n", at);
      const first = text.indexOf(",", at);
      const second = text.indexOf(",", first + 1);
      const time = this.#timeOf(text.slice(at, first), text.slice(first + 1, second));
      out += this.#row(time, text.slice(second, end));
      at = end + 1;
    }
    return this.#encoder.encode(out);
  }

  /** The bytes after all rows. */
  tail(): Uint8Array {
    return this.#encoder.encode(this.#form.format === "json" ? "\n]\n" : "");
  }

  /** @param cells The values, each after a comma. */
  #row(time: string, cells: string): string {
    const { format } = this.#form;
    if (format === "csv") return `${time}${cells}\n`;
    const object = this.#object(time, cells.slice(1).split(","));
    if (format === "ndjson") return `${object}\n`;
    const comma = this.#hasRows ? "," : "";
    this.#hasRows = true;
    return `${comma}\n${object}`;
  }

  #object(time: string, cells: string[]): string {
    if (this.#form.kind === "windows") {
      for (let i = STATISTICS - 1; i < cells.length; i += STATISTICS) {
        if (cells[i] === "0") cells.fill("", i - STATISTICS + 1, i);
      }
    }
    let text = `{"time":"${time}"`;
    for (let i = 0; i < cells.length; i++) {
      const cell = cells[i]!;
      if (cell !== "") text += this.#keys[i] + (/^-?\d/.test(cell) ? cell : `"${cell}"`);
    }
    return `${text}}`;
  }
}

/** Makes the text of a time from its ns and its RFC 3339 in UTC with nine digits. */
function timeText(time: TimeWord, tz: string): (ns: string, utc: string) => string {
  if (time === "ns") return (ns) => ns;
  const isNaive = time === "naive";
  if (tz === "UTC") return isNaive ? (_ns, utc) => utc.slice(0, -1) : (_ns, utc) => utc;
  let minute = "";
  let isWhole = false;
  let before = "";
  let after = "";
  return (ns, utc) => {
    if (!isWhole || !utc.startsWith(minute)) {
      minute = utc.slice(0, MINUTE_LENGTH);
      const start = toNanoseconds(`${minute}:00Z`);
      const offset = offsetAt(tz, start);
      isWhole = offset % MINUTE === 0n && offset === offsetAt(tz, start + MINUTE - 1n);
      if (!isWhole) return localText(BigInt(ns), tz, isNaive);
      before = formatTime(start + offset).slice(0, MINUTE_LENGTH);
      after = isNaive ? "" : offsetText(offset);
    }
    return before + utc.slice(MINUTE_LENGTH, -1) + after;
  };
}

/** A time as clocks of a zone show it. RFC 3339 has offsets of whole minutes only. */
function localText(ns: bigint, tz: string, isNaive: boolean): string {
  const offset = offsetAt(tz, ns);
  const shown = isNaive ? offset : offset - offset % MINUTE;
  return formatTime(ns + shown).slice(0, -1) + (isNaive ? "" : offsetText(shown));
}

function offsetText(offset: bigint): string {
  const minutes = Number((offset < 0n ? -offset : offset) / MINUTE);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${offset < 0n ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
