/**
 * Forms of times in tables, as the kernel knows them.
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";

/** A form of times for the kernel. */
export interface TimeForm {
  /** Code of `wasm/table_time.ts`; up to 9 the power of ten of the unit. */
  readonly kind: number;
  /**
   * Directives are their letters plus 128, or 129 to 134 for {@linkcode NUMBERS} with all of their
   * digits; all other bytes stand for themselves.
   */
  readonly pattern: Uint8Array;
}

/** Rows without times. */
export const IMPLICIT_TIMES = 12;

const UNITS: Readonly<Record<string, number>> = { ns: 0, us: 3, ms: 6, s: 9 };
const CALENDAR = 10;
const PATTERN = 11;
const OTHERS: Readonly<Record<string, number>> = { ticks: 13, filetime: 14, excel: 15 };
const DIRECTIVES = "YymbdjHIMSfpzZ";

/** Directives of numbers that may have fewer digits, unless another number stands beside them. */
const NUMBERS = ["m", "d", "j", "HI", "M", "S"];
/** Directives that begin and end with a digit. */
const DIGITS = /[YymdjHIMSf]/;

/** The byte of a directive between two others, of which each may be none. */
function directiveByte(before: string, letter: string, after: string): number {
  const number = NUMBERS.findIndex((letters) => letters.includes(letter));
  const isBeside = DIGITS.test(before) || DIGITS.test(after);
  return number >= 0 && isBeside ? 129 + number : 128 + letter.charCodeAt(0);
}

/**
 * Reads the name or the pattern of a form of times.
 *
 * @throws {TypeError} If it is neither.
 */
export function timeForm(format: string): TimeForm {
  const unit = UNITS[format] ?? OTHERS[format];
  if (unit !== undefined) return { kind: unit, pattern: new Uint8Array(0) };
  if (format === "rfc3339") return { kind: CALENDAR, pattern: new Uint8Array(0) };
  const bytes: number[] = [];
  /** The directive that ends before the next character. */
  let before = "";
  for (let i = 0; i < format.length; i++) {
    const letter = format[i + 1] ?? "";
    const directive = letter !== "" && DIRECTIVES.includes(letter);
    if (format[i] !== "%") {
      bytes.push(format.charCodeAt(i));
      before = "";
      continue;
    }
    if (!directive && letter !== "%") throw badFormat(format);
    const after = format[i + 2] === "%" ? format[i + 3] ?? "" : "";
    bytes.push(directive ? directiveByte(before, letter, after) : 37);
    before = directive ? letter : "";
    i++;
  }
  if (!bytes.some((byte) => byte > 127) || bytes.length > 64) throw badFormat(format);
  return { kind: PATTERN, pattern: Uint8Array.from(bytes) };
}

function badFormat(format: string): TypeError {
  return invalidType(
    `Cannot parse table: timeFormat is ${
      JSON.stringify(format)
    }, expected ns, us, ms, s, rfc3339 or a ` +
      `pattern of %${[...DIRECTIVES].join(" %")}`,
  );
}
