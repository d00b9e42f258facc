/**
 * Colours of figures and of the lines in them. Neighbouring lines differ in lightness too and each
 * has a dash pattern, so that nobody depends on hue (Okabe and Ito, "Color universal design", 2008).
 *
 * @module
 */

/** Something that is drawn with a colour of its own; series by their number. */
export type Ink =
  | "background"
  | "text"
  | "muted"
  | "grid"
  | "axis"
  | "accent"
  | "changed"
  | number;

/** Colours of a figure. */
export interface Palette {
  readonly background: string;
  readonly text: string;
  readonly muted: string;
  readonly grid: string;
  readonly axis: string;
  readonly accent: string;
  /** Shade over ranges that changed. */
  readonly changed: string;
  readonly series: readonly string[];
  /** Opacity of bands from min to max. */
  readonly bandAlpha: number;
}

/** Names of palettes. */
export type PaletteName = "light" | "dark" | "contrast-light" | "contrast-dark";

const LIGHT: Palette = {
  background: "#ffffff",
  text: "#161b22",
  muted: "#57616f",
  grid: "#edf0f3",
  axis: "#b6bec9",
  accent: "#0b5cad",
  changed: "#c2500a",
  series: [
    "#0b63b5",
    "#c2500a",
    "#007a5a",
    "#a2408d",
    "#8a6d00",
    "#0e8aa8",
    "#b3261e",
    "#5a5fc7",
  ],
  bandAlpha: 0.32,
};

const DARK: Palette = {
  background: "#0e1116",
  text: "#e5e9ef",
  muted: "#98a4b3",
  grid: "#1a2028",
  axis: "#3d4756",
  accent: "#6fb3ff",
  changed: "#ff9a56",
  series: [
    "#5eb0ff",
    "#ff9a56",
    "#3fd0a4",
    "#e58fd3",
    "#e6c34a",
    "#57d3ea",
    "#ff8a80",
    "#a9acff",
  ],
  bandAlpha: 0.38,
};

/** All palettes. */
export const PALETTES: Readonly<Record<PaletteName, Palette>> = {
  "light": LIGHT,
  "dark": DARK,
  "contrast-light": {
    ...LIGHT,
    text: "#000000",
    muted: "#000000",
    grid: "#d0d0d0",
    axis: "#000000",
    accent: "#00319e",
    series: [
      "#00408f",
      "#8f3000",
      "#005a3c",
      "#7a1266",
      "#5c4700",
      "#005f78",
      "#8a0f08",
      "#2f2f9c",
    ],
    bandAlpha: 0.34,
  },
  "contrast-dark": {
    ...DARK,
    background: "#000000",
    text: "#ffffff",
    muted: "#ffffff",
    grid: "#404040",
    axis: "#ffffff",
    accent: "#8ec7ff",
    bandAlpha: 0.42,
  },
};

/** Dash patterns of series, CSS pixels; the first is solid. */
const DASHES: readonly (readonly number[])[] = [
  [],
  [8, 3],
  [2, 2.5],
  [10, 3, 2, 3],
  [5, 2.5],
  [14, 4],
  [2, 2, 7, 2],
  [1.5, 4],
];

/** The colour of an ink. */
export function colorOf(palette: Palette, ink: Ink): string {
  return typeof ink === "number" ? palette.series[ink % palette.series.length]! : palette[ink];
}

/**
 * The dash pattern of a series. Every eight series the colours repeat, but not together with the
 * same pattern.
 */
export function dashOf(series: number): readonly number[] {
  return DASHES[(series + Math.floor(series / DASHES.length)) % DASHES.length]!;
}
