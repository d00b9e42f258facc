// Errors of lines of line protocol.

/** The codes of bad lines; src/kernel/line_error.ts has the words. */
export const NO_MEASUREMENT: i32 = 1;
export const NO_FIELDS: i32 = 2;
export const BAD_TAG: i32 = 3;
export const BAD_FIELD: i32 = 4;
export const BAD_VALUE: i32 = 5;
export const VALUE_RANGE: i32 = 6;
export const INEXACT: i32 = 7;
export const BAD_TIME: i32 = 8;
export const TIME_RANGE: i32 = 9;
export const UNCLOSED: i32 = 10;
export const MANY_FIELDS: i32 = 11;
export const BAD_TEXT: i32 = 12;
export const SAME_TAG: i32 = 13;
export const MANY_TAGS: i32 = 14;
export const SAME_FIELD: i32 = 15;

/** Code of the line under way, if something is wrong with it, and the address of that. */
export let code: i32 = 0;
export let errorAt: usize = 0;

/** Notes that something is wrong with a line; always 0. */
export function fail(why: i32, at: usize): usize {
  code = why;
  errorAt = at;
  return 0;
}
