/**
 * Short descriptions of values for error messages.
 *
 * @module
 */

/** Longest piece of a text that is shown. */
const MAX_TEXT = 40;

/**
 * A value of any type as an error message shows it.
 *
 * @returns `"text"`, `5`, `null`, `a function`, `an object`, `a Float32Array`.
 */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, MAX_TEXT));
  if (typeof value === "function") return "a function";
  if (value === null || typeof value !== "object") return String(value);
  const name = value.constructor?.name ?? "Object";
  if (name === "Object") return "an object";
  return `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
}
