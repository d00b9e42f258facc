/**
 * Type of a command: its description and its `run` function.
 *
 * @module
 */

import type { CommandDescription } from "./command_entry.ts";
import type { Context } from "./context.ts";
import type { Args } from "./words/parse_args.ts";

/** A command: its description and its work. */
export interface Command extends CommandDescription {
  /** Does the work; resolves with the exit status, 0 by default. */
  run(context: Context, args: Args): Promise<number | void>;
}
