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
