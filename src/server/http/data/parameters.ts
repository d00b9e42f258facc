/**
 * Parameters of a URL: each one known, and given once.
 *
 * @module
 */

import { ErrorCode } from "../../../core/errors.ts";
import { didYouMean, nearest } from "../../../core/suggest.ts";
import { HttpFailure } from "../http_failure.ts";

/** Names of the parameters of a route. */
export interface ParameterNames {
  /** Those that come once at most. */
  readonly single: readonly string[];
  /** Those that may come again. */
  readonly repeated?: readonly string[];
  /** Beginnings of names, such as `tag.`. */
  readonly prefixes?: readonly string[];
}

/** The failure of a request whose parameters are wrong. */
export function badParameter(message: string, code: number = ErrorCode.WrongArgs): HttpFailure {
  return new HttpFailure(400, message, code);
}

/** The parameters of a request. */
export class Parameters {
  readonly #values: URLSearchParams;

  /**
   * @param url Path and query.
   * @throws {HttpFailure} 400 if one is unknown or repeated, or its encoding is none.
   */
  constructor(url: string, names: ParameterNames) {
    this.#values = queryOf(url);
    check(this.#values, names);
  }

  /** The value of a parameter; undefined if it is not given. */
  get(name: string): string | undefined {
    return this.#values.get(name) ?? undefined;
  }

  /** All values of a parameter. */
  all(name: string): string[] {
    return this.#values.getAll(name);
  }

  /** Values of the parameters whose names begin so, by the rest of their names. */
  below(prefix: string): Map<string, string> {
    const found = new Map<string, string>();
    for (const [name, value] of this.#values) {
      if (name.startsWith(prefix)) found.set(name.slice(prefix.length), value);
    }
    return found;
  }

  /**
   * One of some words.
   *
   * @throws {HttpFailure} 400 if it is another one.
   */
  choice<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    const word = words.find((word) => word === value);
    if (word !== undefined) return word;
    throw badParameter(`${name} is ${quoted(value)}, expected ${words.join(", ")}`);
  }

  /**
   * A whole number.
   *
   * @throws {HttpFailure} 400 if it is none, or out of range.
   */
  integer(name: string, least: number, most: number): number | undefined {
    const value = this.get(name);
    if (value === undefined) return undefined;
    const number = /^\d{1,16}$/.test(value) ? Number(value) : NaN;
    if (number >= least && number <= most) return number;
    throw badParameter(`${name} is ${quoted(value)}, expected ${least} to ${most}`);
  }
}

/**
 * The query of a URL.
 *
 * @throws {HttpFailure} 400 if it is not UTF-8: names that differ must not become one.
 */
export function queryOf(url: string): URLSearchParams {
  const at = url.indexOf("?");
  const query = at < 0 ? "" : url.slice(at + 1);
  try {
    decodeURIComponent(query);
  } catch {
    throw badParameter("the query is not percent-encoded UTF-8");
  }
  return new URLSearchParams(query);
}

/** A value as errors show it. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
}

function check(values: URLSearchParams, names: ParameterNames): void {
  const { single, repeated = [], prefixes = [] } = names;
  const known = [...single, ...repeated];
  const seen = new Set<string>();
  for (const name of values.keys()) {
    const isNamed = known.includes(name) ||
      prefixes.some((prefix) => name.startsWith(prefix) && name.length > prefix.length);
    if (!isNamed) {
      const all = [...known, ...prefixes.map((prefix) => `${prefix}KEY`)];
      const expected = all.length === 0 ? "expected none" : `expected ${all.join(", ")}`;
      throw badParameter(
        `unknown parameter ${quoted(name)}: ${didYouMean(nearest(name, known, 1), expected)}`,
      );
    }
    if (seen.has(name) && !repeated.includes(name)) {
      const times = values.getAll(name).length;
      throw badParameter(`parameter ${quoted(name)} is given ${times} times, expected once`);
    }
    seen.add(name);
  }
}
