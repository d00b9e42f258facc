/**
 * What a command is: its words, options, examples and what it does. Help texts, docs/cli.md and
 * the shell completions are made from these descriptions.
 *
 * @module
 */

import type { Args } from "./words/parse_args.ts";
import type { Context } from "./context.ts";
import type { OptionSpecs } from "./words/option.ts";

/** A use of the command that can be typed as it stands. */
export interface Example {
  line: string;
  about: string;
}

/** Everything there is to know about a command. */
export interface Command {
  name: string;
  /** Its arguments as in a usage line, e.g. `"STREAM…"`; empty: none. */
  args: string;
  /** Fewest and most arguments. */
  arity: readonly [number, number];
  /** What it does, one sentence without full stop; the same as in the table of commands. */
  summary: string;
  /** More about it, in paragraphs. */
  about?: readonly string[];
  options: OptionSpecs;
  /** At least two. */
  examples: readonly [Example, Example, ...Example[]];
  /** The shape of its `--json` output; absent: it has none. */
  json?: string;
  /** Does it; resolves with the exit status, 0 by default. */
  run(context: Context, args: Args): Promise<number | void>;
}
