/**
 * Colours of text on a terminal.
 *
 * @module
 */

import { sgr } from "../../plot/sgr.ts";

/** Puts text in colours, or leaves it as it is. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/** A file that may be a terminal. */
interface Output {
  isTerminal(): boolean;
}

/** Variables of a process. */
interface Variables {
  get(name: string): string | undefined;
}

/**
 * True for a terminal on which a line can be rewritten: not for one that says that it is dumb.
 *
 * @param variables Those of this process, unless others are given.
 */
export function movesCursor(output: Output, variables: Variables = Deno.env): boolean {
  return variables.get("TERM") !== "dumb" && output.isTerminal();
}

/**
 * True if text there may be coloured.
 *
 * @param output Stdout or stderr.
 * @param noColor True if the command line forbids it; `$NO_COLOR` does too.
 * @param variables Those of this process, unless others are given.
 */
export function showsColors(
  output: Output,
  noColor: boolean,
  variables: Variables = Deno.env,
): boolean {
  const isAllowed = !noColor && (variables.get("NO_COLOR") ?? "") === "";
  return isAllowed && movesCursor(output, variables);
}

/** A style with colours (SGR codes), or one without. */
export function makeStyle(color: boolean): Style {
  const between = (on: number, off: number) => (text: string): string =>
    color && text !== "" ? sgr(on, text, off) : text;
  return {
    bold: between(1, 22),
    dim: between(2, 22),
    red: between(31, 39),
    green: between(32, 39),
    yellow: between(33, 39),
    cyan: between(36, 39),
  };
}
