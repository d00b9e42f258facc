/**
 * Commands of keys and buttons.
 *
 * @module
 */

import type { Action } from "../plotter/keyboard.ts";
import type { CursorSet } from "./cursor_set.ts";
import { showHelp } from "./help_dialog.ts";
import type { Navigation } from "./navigation.ts";
import type { Shell } from "./shell.ts";
import type { ViewStore } from "./view_store.ts";
import type { Viewport } from "./viewport.ts";

/** Factor of a zoom by keys. */
const ZOOM = 1.5;

/** Columns of pixels by which a cursor moves in a large step. */
const FAR = 20;

/** Parts of the page that commands are for. */
export interface CommandOptions {
  readonly store: ViewStore;
  readonly viewport: Viewport;
  readonly navigation: Navigation;
  readonly cursors: CursorSet;
  readonly shell: () => Shell;
  readonly search: () => void;
  readonly typeRange: () => void;
  readonly toggleTable: () => void;
}

/** The command for each action. */
export function commandsOf(options: CommandOptions): Readonly<Record<Action, () => void>> {
  const { store, viewport, navigation, cursors, shell } = options;
  const zoom = (factor: number) =>
    navigation.zoom(factor, viewport.shareOf(viewport.placeOf(cursors.time)));
  const moveCursor = (columns: number) => {
    const from = cursors.time ?? viewport.timeAt(viewport.middle);
    if (from !== undefined) cursors.moveTo(viewport.stepped(from, columns));
  };
  return {
    "pan-left": () => navigation.pan(-0.1, "more"),
    "pan-right": () => navigation.pan(0.1, "more"),
    "page-left": () => navigation.pan(-0.9, "step"),
    "page-right": () => navigation.pan(0.9, "step"),
    "zoom-in": () => zoom(1 / ZOOM),
    "zoom-out": () => zoom(ZOOM),
    "fit": () => void navigation.fit(),
    "back": () => store.back(),
    "forward": () => store.forward(),
    "cursor-left": () => moveCursor(-1),
    "cursor-right": () => moveCursor(1),
    "cursor-far-left": () => moveCursor(-FAR),
    "cursor-far-right": () => moveCursor(FAR),
    "mark": () => cursors.mark(cursors.time ?? viewport.timeAt(viewport.middle)),
    "band": () => store.change({ band: !store.view.band }),
    "density": () => store.change({ density: !store.view.density }),
    "live": () => navigation.toggleLive(),
    "search": () => {
      shell().openSide(true);
      options.search();
    },
    "range": options.typeRange,
    "table": options.toggleTable,
    "side": () => shell().openSide(),
    "help": () => showHelp(),
    "cancel": () => cursors.clear(),
  };
}
