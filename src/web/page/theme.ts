/**
 * Light, dark and high contrast; the choice is kept in this browser.
 *
 * @module
 */

import type { PaletteName } from "../../plot/figure/palette.ts";

/** Themes that can be chosen; `auto` follows the system. */
export const THEMES = ["auto", "light", "dark", "contrast"] as const;

/** A theme that can be chosen. */
export type ThemeName = typeof THEMES[number];

const STORED = "btrdb.theme";
const DARK = matchMedia("(prefers-color-scheme: dark)");
const MORE_CONTRAST = matchMedia("(prefers-contrast: more)");
const FORCED = matchMedia("(forced-colors: active)");

/** The theme of the page. */
export class Theme {
  #name: ThemeName;
  #appearance: PaletteName = "light";
  readonly #onChange: () => void;

  /** @param onChange Called when the appearance changes. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
    const stored = read();
    this.#name = THEMES.find((name) => name === stored) ?? "auto";
    for (const query of [DARK, MORE_CONTRAST, FORCED]) {
      query.addEventListener("change", () => this.#apply());
    }
    this.#apply();
  }

  /** The theme that was chosen. */
  get name(): ThemeName {
    return this.#name;
  }

  /** Appearance on this system. */
  get appearance(): PaletteName {
    return this.#appearance;
  }

  #find(): PaletteName {
    const isDark = this.#name === "dark" || (this.#name !== "light" && DARK.matches);
    const isHigh = this.#name === "contrast" || MORE_CONTRAST.matches || FORCED.matches;
    return `${isHigh ? "contrast-" : ""}${isDark ? "dark" : "light"}`;
  }

  /** Chooses a theme. */
  set(name: ThemeName): void {
    this.#name = name;
    try {
      localStorage.setItem(STORED, name);
    } catch {
      // Storage is switched off: the choice lasts until the page is left.
    }
    this.#apply();
  }

  #apply(): void {
    this.#appearance = this.#find();
    document.documentElement.dataset.theme = this.#appearance;
    this.#onChange();
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}
