/**
 * Rows of text: CSV with times in another form, and JSON objects, made from BTrDB's own CSV,
 * because the exact, shortest numbers come from there.
 *
 * @module
 */

import { csvLine, csvNames, TIME_NAMES } from "../kernel/csv_text.ts";
import { timeText, type TimeWord } from "./time_text.ts";

/** Bytes of CSV, and the rest of a row, that are made into one part. */
const STEP_BYTES = 65_536;

const LINE_FEED = 0x0a;

/** Cells of a window: min, mean, max, count. */
const STATISTICS = 4;

/** The beginning of the header of BTrDB's CSV. */
const OWN_HEAD = csvLine(TIME_NAMES).slice(0, -1);

/** Form of the rows. */
export interface TextForm {
  readonly format: "csv" | "ndjson" | "json";
  readonly kind: "raw" | "windows";
  readonly labels: readonly string[];
  readonly time: TimeWord;
  readonly tz: string;
  /**
   * True if rows of CSV keep the column of ns, with the time in its form as the readable one, with as
   * many digits of the fraction as it has.
   */
  readonly keepsNs?: boolean;
}

/** Turns the rows of BTrDB's CSV into another form. */
export class TextRows {
  readonly #form: TextForm;
  readonly #keys: readonly string[];
  readonly #decoder = new TextDecoder();
  readonly #encoder = new TextEncoder();
  readonly #timeOf: (ns: string, utc: string) => string;
  #hasRows = false;

  constructor(form: TextForm) {
    this.#form = form;
    const names = csvNames(form.kind, form.labels).slice(TIME_NAMES.length);
    this.#keys = names.map((name) => `,${JSON.stringify(name)}:`);
    this.#timeOf = timeText(form.time, form.tz, form.keepsNs ?? false);
  }

  /**
   * The bytes before all rows.
   *
   * @param own The header of BTrDB's CSV.
   */
  head(own: Uint8Array): Uint8Array {
    const { format, keepsNs, tz } = this.#form;
    if (format !== "csv") return this.#encoder.encode(format === "json" ? "[" : "");
    const names = keepsNs ? [TIME_NAMES[0], `Human-Readable Time (${tz})`] : ["time"];
    const rest = this.#decoder.decode(own).slice(OWN_HEAD.length);
    return this.#encoder.encode(csvLine(names).slice(0, -1) + rest);
  }

  /**
   * Rows in the form, in parts between which others may go on: one takes 2 ms or so.
   *
   * @param piece Whole rows of CSV, without its header.
   */
  *rows(piece: Uint8Array): Generator<Uint8Array, void, void> {
    for (let from = 0; from < piece.length;) {
      const end = piece.indexOf(LINE_FEED, from + STEP_BYTES) + 1 || piece.length;
      yield this.#part(piece.subarray(from, end));
      from = end;
    }
  }

  #part(piece: Uint8Array): Uint8Array {
    const text = this.#decoder.decode(piece);
    let out = "";
    for (let at = 0; at < text.length;) {
      const end = text.indexOf("\n", at);
      const first = text.indexOf(",", at);
      const second = text.indexOf(",", first + 1);
      const ns = text.slice(at, first);
      const time = this.#timeOf(ns, text.slice(first + 1, second));
      const cells = text.slice(second, end);
      out += this.#form.keepsNs ? `${ns},${time}${cells}\n` : this.#row(time, cells);
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
