/**
 * Finds a command by name.
 *
 * @module
 */

import type { CommandDescription, CommandEntry } from "./command_entry.ts";
import { usageError } from "./errors.ts";
import { didYouMean, nearest } from "../core/suggest.ts";

/**
 * The entry of a command.
 *
 * @param name As typed.
 * @param commands All commands.
 * @throws {CliError} If there is none, with the names that are close to it.
 */
export function findCommand<Loaded extends CommandDescription>(
  name: string,
  commands: readonly CommandEntry<Loaded>[],
): CommandEntry<Loaded> {
  const entry = commands.find((one) => one.name === name);
  if (entry !== undefined) return entry;
  const near = nearest(name, commands.map((one) => one.name), 3);
  throw usageError(
    `There is no command ${name}`,
    didYouMean(near, "`btrdb help` lists them all"),
  );
}
