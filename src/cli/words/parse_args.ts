/**
 * Reading a command line against the options of a command.
 *
 * @module
 */

import type { OptionSpec, OptionSpecs } from "./option.ts";
import { usageError } from "../errors.ts";
import { didYouMean, nearest } from "../../core/suggest.ts";

/** Parsed command line: options and arguments. */
export class Args {
  /** The arguments that are not options. */
  readonly positionals: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  /**
   * @param positionals Arguments.
   * @param values Values of each option given; a switch has one empty value.
   */
  constructor(positionals: readonly string[], values: ReadonlyMap<string, readonly string[]>) {
    this.positionals = positionals;
    this.#values = values;
  }

  /** Tells whether a switch, or an option with a value, was given. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value of an option, the last one if it came more than once. */
  text(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /** All values of an option that may come more than once. */
  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /**
   * The value of an option as an integer.
   *
   * @throws {CliError} Usage error, if it is none between `min` and `max`.
   */
  integer(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text.replaceAll("_", ""));
    if (!/^[+-]?[\d_]+$/.test(text) || value < min || value > max) {
      throw usageError(`Cannot use --${name} ${text}: expected an integer from ${min} to ${max}`);
    }
    return value;
  }
}

/** A negative number or duration is a value, not an option. */
const NEGATIVE = /^-[\d.]/;

function isOption(arg: string): boolean {
  return arg.length > 1 && arg.startsWith("-") && !NEGATIVE.test(arg);
}

/**
 * Reads arguments and options in any order; after `--` everything is an argument.
 *
 * @param argv Words after the name of the command.
 * @param specs Options that exist.
 * @param stopAtFirst True to stop before the first argument, to find the name of the command.
 * @returns Parsed options and arguments, and the words not read.
 * @throws {CliError} Usage error: an unknown option, or a value missing or not allowed.
 */
export function parseArgs(
  argv: readonly string[],
  specs: OptionSpecs,
  stopAtFirst = false,
): { args: Args; rest: string[] } {
  const positionals: string[] = [];
  const values = new Map<string, string[]>();
  const queue = [...argv];
  while (queue.length > 0) {
    const arg = queue.shift()!;
    if (arg === "--") {
      positionals.push(...queue.splice(0));
    } else if (isOption(arg)) {
      takeOption(arg, queue, specs, values);
    } else if (stopAtFirst) {
      queue.unshift(arg);
      break;
    } else {
      positionals.push(arg);
    }
  }
  return { args: new Args(positionals, values), rest: queue };
}

function takeOption(
  arg: string,
  queue: string[],
  specs: OptionSpecs,
  values: Map<string, string[]>,
): void {
  if (arg.startsWith("--")) {
    const [name, inline] = splitOnce(arg.slice(2), "=");
    store(name, lookUp(name, specs), inline, queue, values);
    return;
  }
  const letter = arg[1]!;
  const found = Object.entries(specs).find(([, spec]) => spec.short === letter);
  if (found === undefined) throw usageError(`Unknown option -${letter}`, "see --help");
  const [name, spec] = found;
  const tail = arg.slice(2);
  if (spec.value !== undefined) {
    store(name, spec, tail === "" ? undefined : tail.replace(/^=/, ""), queue, values);
  } else {
    store(name, spec, undefined, queue, values);
    if (tail !== "") takeOption(`-${tail}`, queue, specs, values);
  }
}

function lookUp(name: string, specs: OptionSpecs): OptionSpec {
  if (Object.hasOwn(specs, name)) return specs[name]!;
  const near = nearest(name, Object.keys(specs), 3).map((other) => `--${other}`);
  throw usageError(
    `Unknown option --${name}`,
    didYouMean(near, "see --help"),
  );
}

function store(
  name: string,
  spec: OptionSpec,
  inline: string | undefined,
  queue: string[],
  values: Map<string, string[]>,
): void {
  if (spec.value === undefined) {
    if (inline !== undefined) throw usageError(`Cannot use --${name}=${inline}: it takes no value`);
    values.set(name, [""]);
    return;
  }
  const value = inline ??
    (queue[0] === undefined || isOption(queue[0]) ? undefined : queue.shift());
  if (value === undefined) {
    throw usageError(`Option --${name} needs a value: --${name} ${spec.value}`);
  }
  if (spec.choices !== undefined && !spec.choices.includes(value)) {
    throw usageError(`Cannot use --${name} ${value}: expected ${listOr(spec.choices)}`);
  }
  if (spec.multiple) values.set(name, [...(values.get(name) ?? []), value]);
  else values.set(name, [value]);
}

function listOr(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/** `text` before and after the first `separator`; nothing after it: `undefined`. */
export function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}
