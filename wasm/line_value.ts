// Values of fields of line protocol.

import { BAD_VALUE, fail, INEXACT, VALUE_RANGE } from "./line_error";
import { parsedEnd, parseNumber } from "./parse_number";

/** The value that {@link parseValue} read. */
export let value: f64 = 0;

/** Parses a number or a boolean into `value`; the address after it, or 0. */
export function parseValue(p: usize): usize {
  const c = load<u8>(p);
  const isNumber = <u32>c - 48 < 10 || c == 45 || c == 43 || c == 46;
  if (!isNumber) return parseBoolean(p);
  value = parseNumber(p);
  const end = parsedEnd();
  if (end == 0) return fail(BAD_VALUE, p);
  const suffix = load<u8>(end);
  if (suffix == 105 || suffix == 117) return parseInteger(p, end, suffix == 117);
  return isFinite(value) ? end : fail(VALUE_RANGE, p);
}

/** Parses the digits in [p, end), of which a double must hold every bit. */
function parseInteger(start: usize, end: usize, isUnsigned: bool): usize {
  let p = start;
  const sign = load<u8>(p);
  if (sign == 45 || sign == 43) p++;
  let v: u64 = 0;
  for (; p < end; p++) {
    const digit = <u64>load<u8>(p) - 48;
    if (digit > 9) return fail(BAD_VALUE, start);
    if (v > 1844674407370955161 || (v == 1844674407370955161 && digit > 5)) {
      return fail(VALUE_RANGE, start);
    }
    v = v * 10 + digit;
  }
  const isNegative = sign == 45;
  if (isUnsigned ? isNegative && v != 0 : v > <u64>i64.MAX_VALUE + <u64>isNegative) {
    return fail(VALUE_RANGE, start);
  }
  if (v != 0 && v >> ctz(v) >> 53 != 0) return fail(INEXACT, start);
  value = <f64>v;
  if (isNegative && v != 0) value = -value;
  return end + 1;
}

/** Parses `t`, `T`, `true`, `True`, `TRUE` and their opposites. */
function parseBoolean(p: usize): usize {
  const word = load<u32>(p);
  const c = <u8>word;
  if (c == 116 || c == 84) {
    value = 1;
    // "true", "True", "TRUE"
    return word == 0x65757274 || word == 0x65757254 || word == 0x45555254 ? p + 4 : p + 1;
  }
  if (c != 102 && c != 70) return fail(BAD_VALUE, p);
  value = 0;
  const last = load<u8>(p, 4);
  // "fals", "Fals", "FALS"
  if ((word == 0x736c6166 || word == 0x736c6146) && last == 101) return p + 5;
  return word == 0x534c4146 && last == 69 ? p + 5 : p + 1;
}
