/**
 * Watches the pointer on the figure and the keys of the page.
 *
 * @module
 */

import { type Action, actionOf } from "../plotter/keyboard.ts";
import type { CursorSet } from "./cursor_set.ts";
import { type Box, Gestures } from "./gestures.ts";
import type { Navigation } from "./navigation.ts";
import type { ViewStore } from "./view_store.ts";
import type { Viewport } from "./viewport.ts";

/** Parts of the page that input is for. */
export interface InputOptions {
  readonly figure: HTMLElement;
  readonly store: ViewStore;
  readonly viewport: Viewport;
  readonly navigation: Navigation;
  readonly cursors: CursorSet;
  readonly act: (action: Action) => void;
  /** Called with the box that is being drawn. */
  readonly onBox: (box: Box | undefined) => void;
  /** Called when the view begins to move along with the pointer, and when that ends. */
  readonly onMoving: (isMoving: boolean) => void;
}

/** Watches pointer and keys. */
export function watchInput(options: InputOptions): void {
  const { figure, store, viewport, navigation, cursors, act, onBox, onMoving } = options;
  let isMoving = false;
  const moving = (is: boolean) => {
    isMoving = is;
    onMoving(is);
  };
  const gestures = new Gestures(figure, {
    onDragStart: (x) => viewport.isDraggable(x),
    onPan: (dx) => {
      const kind = isMoving ? "more" : "begin";
      moving(true);
      navigation.pan(-dx / viewport.width, kind);
    },
    onZoom: (factor, x, y, isVertical) => {
      if (isVertical) navigation.zoomValues(factor, x, y);
      else navigation.zoom(factor, viewport.shareOf(x));
    },
    onBox,
    onBoxEnd: (box) => navigation.zoomTo(box),
    onHover: (x) => cursors.hover(viewport.timeAt(x)),
    onClick: (x) => {
      figure.focus();
      cursors.mark(viewport.timeAt(x));
    },
    onDoubleClick: () => {
      cursors.unmark();
      if (store.canGoBack) store.back();
      else void navigation.fit();
    },
    onEnd: () => moving(false),
  });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && gestures.cancel()) return;
    const action = isForPage(event) ? actionOf(event) : undefined;
    if (action === undefined) return;
    event.preventDefault();
    act(action);
  });
}

/** Tells whether a key is for the page, and not for what has the focus. */
function isForPage({ key, target }: KeyboardEvent): boolean {
  const focused = target as HTMLElement;
  if (focused.closest("input, select, textarea, dialog, .menu") !== null) return false;
  const isOfControls = /^(Enter| |Arrow.*|Home|End|Page.*)$/.test(key);
  return !isOfControls || focused.closest("button, .tree") === null;
}
