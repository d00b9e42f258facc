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
  /** Directives are their letters plus 128, all other bytes stand for themselves. */
  readonly pattern: Uint8Array;
}

/** Rows without times. */
export const IMPLICIT_TIMES = 12;

const UNITS: Readonly<Record<string, number>> = { ns: 0, us: 3, ms: 6, s: 9 };
const CALENDAR = 10;
const PATTERN = 11;
const OTHERS: Readonly<Record<string, number>> = { ticks: 13, filetime: 14, excel: 15 };
const DIRECTIVES = "YymbdjHIMSfpzZ";

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
  for (let i = 0; i < format.length; i++) {
    const letter = format[i + 1] ?? "";
    const directive = letter !== "" && DIRECTIVES.includes(letter);
    if (format[i] !== "%") {
      bytes.push(format.charCodeAt(i));
      continue;
    }
    if (!directive && letter !== "%") throw badFormat(format);
    bytes.push(directive ? letter.charCodeAt(0) + 128 : 37);
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
