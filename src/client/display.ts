/**
 * Displays of results in notebooks and logs.
 *
 * @module
 */

import { delay } from "../core/call.ts";
import type { RawColumns, StatColumns } from "../core/columns.ts";
import type { ServerInfo } from "../endpoint/endpoint.ts";
import type { StreamDescription } from "./describe_stream.ts";

/** Representations of one thing, by MIME type; a notebook takes the richest that it knows. */
export type MimeBundle = Readonly<Record<string, string | object>>;

/** Name of the method that Jupyter's Deno kernel asks for a display. */
const JUPYTER = Symbol.for("Jupyter.display");
/** Names of the methods that `console.log` asks: of Deno, and of Node and Bun. */
const INSPECT = [Symbol.for("Deno.customInspect"), Symbol.for("nodejs.util.inspect.custom")];

/** A stream as a display has it. */
export interface DisplayedStream {
  readonly description: StreamDescription;
  /** Windows over all of it; absent where there are no points. */
  readonly windows?: StatColumns | undefined;
}

/** Makes HTML with tables and pictures; a part of its own, loaded where it is needed. */
export interface DisplayRenderer {
  /** Raw points: head and tail, and a plot. */
  raw(points: RawColumns, caption: string): string;
  /** Windows: head and tail, and a plot. */
  stat(windows: StatColumns, caption: string): string;
  /** Streams side by side, one a column. */
  joined(
    times: BigInt64Array,
    columns: readonly { readonly label: string; readonly values: Float64Array }[],
  ): string;
  /** Streams, one a row, and a plot of them; `total` says how many there are. */
  streams(streams: readonly DisplayedStream[], total: number): string;
  /** Protocol, version and members of a database. */
  info(info: ServerInfo): string;
}

/** Longest time that a display may take, ms. */
const DISPLAY_MS = 3_000;

let load: (() => Promise<DisplayRenderer>) | undefined;

/** Says where displays are made; without it, they are text. */
export function setDisplayRenderer(loader: () => Promise<DisplayRenderer>): void {
  load = loader;
}

/** Makes the HTML of a thing; what it asks of a database ends with the signal. */
type HtmlOf<T> = (
  renderer: DisplayRenderer,
  thing: T,
  signal: AbortSignal,
) => string | Promise<string>;

/**
 * Gives the objects of a class a display in notebooks, and a text in logs.
 *
 * @param prototype Of the class.
 * @param textOf Text of an object.
 * @param htmlOf HTML of an object.
 */
export function setDisplay<T extends object>(
  prototype: T,
  textOf: (thing: T) => string,
  htmlOf: HtmlOf<T>,
): void {
  const define = (name: symbol, value: (this: T) => unknown): void => {
    Object.defineProperty(prototype, name, { value, configurable: true });
  };
  for (const name of INSPECT) {
    define(name, function () {
      return textOf(this);
    });
  }
  define(JUPYTER, function () {
    return displayed(this, textOf(this), htmlOf);
  });
}

/**
 * Gives a plain object a display in notebooks, without changing what it is equal to.
 *
 * @param object The object.
 * @param text Its text.
 * @param htmlOf Makes its HTML.
 */
export function withDisplay<T extends object>(object: T, text: string, htmlOf: HtmlOf<T>): T {
  return Object.defineProperty(object, JUPYTER, { value: () => displayed(object, text, htmlOf) });
}

/** Gives a plain object a representation of its own, which needs no renderer. */
export function withBundle<T extends object>(object: T, bundle: MimeBundle): T {
  return Object.defineProperty(object, JUPYTER, { value: () => bundle });
}

/**
 * The display of a thing: its text, and HTML where that can be made in time. Never throws, because a
 * cell of a notebook would fail.
 */
async function displayed<T>(thing: T, text: string, htmlOf: HtmlOf<T>): Promise<MimeBundle> {
  const plain = { "text/plain": text };
  if (load === undefined) return plain;
  const end = new AbortController();
  const late = delay(DISPLAY_MS, { signal: end.signal }).then(() => undefined, () => undefined);
  try {
    const making = load().then((renderer) => htmlOf(renderer, thing, end.signal));
    making.catch(() => {});
    const made = await Promise.race([making, late]);
    return made === undefined ? plain : { ...plain, "text/html": made };
  } catch {
    return plain;
  } finally {
    end.abort();
  }
}
