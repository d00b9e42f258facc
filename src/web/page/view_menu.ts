/**
 * The menu _View_: parts of the figure, earlier periods drawn over it, colours.
 *
 * @module
 */

import { DAY } from "../../core/time.ts";
import type { Action } from "../plotter/keyboard.ts";
import type { ViewState } from "../plotter/view_state.ts";
import type { MenuEntry } from "./menu.ts";
import { type Theme, THEMES } from "./theme.ts";

/** Periods that earlier data are drawn over, ns. */
const PERIODS: readonly (readonly [label: string, by: bigint])[] = [
  ["An hour earlier", DAY / 24n],
  ["A day earlier", DAY],
  ["A week earlier", 7n * DAY],
];

/** Most of them at once. */
const MAX_PERIODS = 4;

const THEME_NAMES: Readonly<Record<typeof THEMES[number], string>> = {
  auto: "As the system",
  light: "Light",
  dark: "Dark",
  contrast: "High contrast",
};

/** Surroundings of the menu. */
export interface ViewMenuOptions {
  readonly view: ViewState;
  readonly theme: Theme;
  readonly isTableOpen: boolean;
  readonly act: (action: Action) => void;
  readonly change: (change: Partial<ViewState>) => void;
  /** Called after other colours were chosen. */
  readonly onTheme: () => void;
}

/** Entries of the menu. */
export function viewEntries(options: ViewMenuOptions): MenuEntry[] {
  const { view: { band, density, overlays }, theme, isTableOpen, act, change } = options;
  const part = (label: string, isChecked: boolean, action: Action, note: string): MenuEntry => ({
    label,
    isChecked,
    note,
    run: () => act(action),
  });
  return [
    { heading: "Figure" },
    part("Band from min to max", band, "band", "b"),
    part("Density of the data", density, "density", "d"),
    part("Table of the range", isTableOpen, "table", "t"),
    { heading: "Drawn over it" },
    ...PERIODS.map(([label, by]) => ({
      label,
      isChecked: overlays.includes(by),
      run: () => change({ overlays: toggled(overlays, by) }),
    })),
    { heading: "Colours" },
    ...THEMES.map((name) => ({
      label: THEME_NAMES[name],
      isChecked: theme.name === name,
      run: () => {
        theme.set(name);
        options.onTheme();
      },
    })),
  ];
}

function toggled(overlays: readonly bigint[], by: bigint): bigint[] {
  return overlays.includes(by)
    ? overlays.filter((one) => one !== by)
    : [...overlays, by].slice(-MAX_PERIODS);
}
