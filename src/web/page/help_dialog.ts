/**
 * The list of keys and gestures.
 *
 * @module
 */

import { KEYS } from "../plotter/keyboard.ts";
import { element } from "./dom.ts";

const GESTURES: readonly (readonly [string, string])[] = [
  ["Drag", "Pan"],
  ["Wheel, pinch", "Zoom at the pointer"],
  ["Alt + wheel", "Zoom the values"],
  ["Shift + wheel", "Pan"],
  ["Shift + drag, right button", "Zoom to a box"],
  ["Click", "Set a cursor; a second one shows differences"],
  ["Double click", "Back to the view before"],
];

const NAMES: Readonly<Record<string, string>> = {
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  PageUp: "Page up",
  PageDown: "Page down",
  Escape: "Esc",
};

/** Shows the list. */
export function showHelp(): void {
  const row = (keys: string, label: string) =>
    element("div", {}, element("span", {}, label), element("kbd", {}, keys));
  const dialog = element(
    "dialog.modal.wide",
    { "aria-label": "Keys and gestures" },
    element(
      "form.sheet",
      { method: "dialog" },
      element("h2", {}, "Mouse and touch"),
      element("div.keys", {}, ...GESTURES.map(([keys, label]) => row(keys, label))),
      element("h2", {}, "Keys"),
      element(
        "div.keys",
        {},
        ...KEYS.map(({ keys, label }) =>
          row(keys.map((key) => NAMES[key] ?? key).join("  "), label)
        ),
      ),
      element("div.row.end", {}, element("button.primary", { type: "submit" }, "Close")),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
