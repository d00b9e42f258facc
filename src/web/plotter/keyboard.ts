/**
 * Keys of the page.
 *
 * @module
 */

/** A key and its action. */
export interface Key {
  /** As `KeyboardEvent.key` has it. */
  readonly keys: readonly string[];
  readonly action: Action;
  /** Text for people. */
  readonly label: string;
}
/** Something that a key or a button does. */
export type Action =
  | "pan-left"
  | "pan-right"
  | "page-left"
  | "page-right"
  | "zoom-in"
  | "zoom-out"
  | "fit"
  | "back"
  | "forward"
  | "cursor-left"
  | "cursor-right"
  | "cursor-far-left"
  | "cursor-far-right"
  | "mark"
  | "band"
  | "density"
  | "live"
  | "search"
  | "range"
  | "table"
  | "side"
  | "help"
  | "cancel";
/** All keys, in the order in which they are listed. */
export const KEYS: readonly Key[] = [
  { keys: ["ArrowLeft"], action: "pan-left", label: "Pan to earlier times" },
  { keys: ["ArrowRight"], action: "pan-right", label: "Pan to later times" },
  { keys: ["PageUp"], action: "page-left", label: "A page earlier" },
  { keys: ["PageDown"], action: "page-right", label: "A page later" },
  { keys: ["ArrowUp", "+", "="], action: "zoom-in", label: "Zoom in" },
  { keys: ["ArrowDown", "-"], action: "zoom-out", label: "Zoom out" },
  { keys: ["0", "Home"], action: "fit", label: "Show all data" },
  { keys: ["Backspace"], action: "back", label: "Back to the view before" },
  { keys: ["\\"], action: "forward", label: "Forward again" },
  { keys: [","], action: "cursor-left", label: "Cursor a pixel to the left" },
  { keys: ["."], action: "cursor-right", label: "Cursor a pixel to the right" },
  { keys: ["<"], action: "cursor-far-left", label: "Cursor far to the left" },
  { keys: [">"], action: "cursor-far-right", label: "Cursor far to the right" },
  { keys: ["Enter"], action: "mark", label: "Set a cursor; a second one shows differences" },
  { keys: ["b"], action: "band", label: "Band from min to max, on and off" },
  { keys: ["d"], action: "density", label: "Density of the data, on and off" },
  { keys: ["l"], action: "live", label: "Follow the present" },
  { keys: ["/"], action: "search", label: "Search streams" },
  { keys: ["r"], action: "range", label: "Type a range" },
  { keys: ["t"], action: "table", label: "Table of the range" },
  { keys: ["s"], action: "side", label: "List of streams, open and closed" },
  { keys: ["?"], action: "help", label: "This list" },
  { keys: ["Escape"], action: "cancel", label: "Remove cursors" },
];
/** The action of a key that was pressed. */
export function actionOf(event: KeyboardEvent): Action | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  return KEYS.find(({ keys }) => keys.includes(event.key))?.action;
}
