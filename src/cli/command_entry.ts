/**
 * Descriptions of commands: name, arguments, options and examples. Help texts,
 * docs/cli.md and the shell completions are made from these descriptions.
 *
 * @module
 */

import type { OptionSpecs } from "./words/option.ts";

/** A use of the command that can be typed as it stands. */
export interface Example {
  line: string;
  about: string;
}

/** Everything there is to know about a command without running it. */
export interface CommandDescription {
  name: string;
  /** Its arguments as in a usage line, e.g. `"STREAM…"`; empty: none. */
  args: string;
  /** Fewest and most arguments. */
  arity: readonly [number, number];
  /** Its purpose, one sentence without full stop; the same as in the list of commands. */
  summary: string;
  /** More about it, in paragraphs. */
  about?: readonly string[];
  options: OptionSpecs;
  /** At least two. */
  examples: readonly [Example, Example, ...Example[]];
  /** The shape of its `--json` output; absent: it has none. */
  json?: string;
}

/** A command in the list of commands, which is loaded only when it is used. */
export interface CommandEntry<Loaded extends CommandDescription = CommandDescription> {
  name: string;
  args: string;
  summary: string;
  /** Heading that the help shows it under. */
  group: string;
  load(): Promise<{ default: Loaded }>;
}
