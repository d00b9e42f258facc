/**
 * Figures as SVG. Colours are classes, so that one file is right in the light and in the dark.
 *
 * @module
 */

import { type Bars, FONT_FAMILY, FONT_SIZE, type LineStyle, type Painter } from "./painter.ts";
import type { TextStyle } from "./painter.ts";
import { type Ink, type Palette, PALETTES } from "./palette.ts";

/** Digits after the point of a length. */
const PRECISION = 100;

/** Places further out, of values far beyond a fixed range, are brought here: readers compute in floats. */
const FAR = 100_000;

/** Options of a {@linkcode SvgPainter}. */
export interface SvgOptions {
  readonly width: number;
  readonly height: number;
  /** Name of the figure, for those who do not see it. */
  readonly title: string;
  /** A few sentences that say what is to be seen. */
  readonly description?: string;
  /**
   * Colours: those of one palette, or `auto` for light and dark as the reader's system is.
   *
   * @default {"auto"}
   */
  readonly palette?: Palette | "auto";
}

/** Writes an SVG file. */
export class SvgPainter implements Painter {
  readonly #options: SvgOptions;
  readonly #parts: string[] = [];
  readonly #inks = new Set<Ink>();
  #clips = 0;

  constructor(options: SvgOptions) {
    this.#options = options;
  }

  rect(x: number, y: number, width: number, height: number, ink: Ink, alpha = 1): void {
    const place = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${
      short(height)
    }"`;
    this.#parts.push(`<rect ${place} class="${this.#fill(ink)}"${opacity("fill", alpha)}/>`);
  }

  bars({ length, x, top, bottom }: Bars, width: number, ink: Ink, alpha: number): void {
    let path = "";
    for (let i = 0; i < length; i++) {
      path += `M${short(x[i]!)} ${short(top[i]!)}V${short(bottom[i]!)}`;
    }
    if (path === "") return;
    const style = `stroke-width="${short(width)}"${opacity("stroke", alpha)}`;
    this.#parts.push(`<path d="${path}" class="${this.#stroke(ink)}" ${style}/>`);
  }

  lines(places: ArrayLike<number>, { ink, width = 1, dash = [], alpha = 1 }: LineStyle): void {
    let path = "";
    let isNew = true;
    for (let i = 0; i < places.length; i += 2) {
      const x = places[i]!;
      if (Number.isNaN(x)) isNew = true;
      else {
        path += `${isNew ? "M" : "L"}${short(x)} ${short(places[i + 1]!)}`;
        isNew = false;
      }
    }
    if (path === "") return;
    const dashes = dash.length === 0 ? "" : ` stroke-dasharray="${dash.join(" ")}"`;
    const style = `stroke-width="${short(width)}"${dashes}${opacity("stroke", alpha)}`;
    this.#parts.push(`<path d="${path}" class="${this.#stroke(ink)}" ${style}/>`);
  }

  dots(places: ArrayLike<number>, radius: number, ink: Ink): void {
    for (let i = 0; i < places.length; i += 2) {
      const place = `cx="${short(places[i]!)}" cy="${short(places[i + 1]!)}" r="${short(radius)}"`;
      this.#parts.push(`<circle ${place} class="${this.#fill(ink)}"/>`);
    }
  }

  text(text: string, x: number, y: number, { ink, align = "left", isBold }: TextStyle): void {
    const anchor = align === "left"
      ? ""
      : ` text-anchor="${align === "center" ? "middle" : "end"}"`;
    const weight = isBold ? ' font-weight="600"' : "";
    // Not every renderer knows dominant-baseline.
    const place = `x="${short(x)}" y="${short(y + 0.36 * FONT_SIZE)}"`;
    const style = `class="${this.#fill(ink)}"${anchor}${weight}`;
    this.#parts.push(`<text ${place} ${style}>${escaped(text)}</text>`);
  }

  clip(x: number, y: number, width: number, height: number, draw: () => void): void {
    const id = `clip-${this.#clips++}`;
    const place = `x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${
      short(height)
    }"`;
    this.#parts.push(`<clipPath id="${id}"><rect ${place}/></clipPath><g clip-path="url(#${id})">`);
    draw();
    this.#parts.push("</g>");
  }

  /** The file. */
  toString(): string {
    const { width, height, title, description } = this.#options;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${short(width)}" height="${short(height)}" ` +
      `viewBox="0 0 ${short(width)} ${short(height)}" role="img" ` +
      `font-family="${FONT_FAMILY}" font-size="${FONT_SIZE}">`,
      `<title>${escaped(title)}</title>`,
      ...(description === undefined ? [] : [`<desc>${escaped(description)}</desc>`]),
      `<style>path{fill:none;stroke-linejoin:round}${this.#colors()}</style>`,
      ...this.#parts,
      "</svg>\n",
    ].join("\n");
  }

  #fill(ink: Ink): string {
    this.#inks.add(ink);
    return `f-${ink}`;
  }

  #stroke(ink: Ink): string {
    this.#inks.add(ink);
    return `s-${ink}`;
  }

  #colors(): string {
    const { palette = "auto" } = this.#options;
    if (palette !== "auto") return this.#rules(palette);
    const dark = this.#rules(PALETTES.dark);
    return `${this.#rules(PALETTES.light)}@media(prefers-color-scheme:dark){${dark}}`;
  }

  #rules(palette: Palette): string {
    let rules = "";
    for (const ink of this.#inks) {
      const color = typeof ink === "number"
        ? palette.series[ink % palette.series.length]!
        : palette[ink];
      rules += `.f-${ink}{fill:${color}}.s-${ink}{stroke:${color}}`;
    }
    return rules;
  }
}

function short(length: number): string {
  const near = Math.max(-FAR, Math.min(FAR, length));
  return String(Math.round(near * PRECISION) / PRECISION);
}

function opacity(kind: "fill" | "stroke", alpha: number): string {
  return alpha === 1 ? "" : ` ${kind}-opacity="${alpha}"`;
}

/** Characters that XML does not allow, however they are written (XML 1.0, section 2.2). */
// deno-lint-ignore no-control-regex -- they are what is looked for
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g;

function escaped(text: string): string {
  return text.toWellFormed().replace(FORBIDDEN, "\ufffd")
    .replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
