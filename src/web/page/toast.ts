/**
 * Short messages at the bottom of the page.
 *
 * @module
 */

import { element } from "./dom.ts";

/** Time that a message stays, ms. */
const STAYS_MS = 6_000;

let shown: HTMLElement | undefined;

/** Shows a message; it replaces the one before, and is read out. */
export function toast(text: string): void {
  shown?.remove();
  const message = element("div.toast", { role: "alert" }, text);
  shown = message;
  document.body.append(message);
  setTimeout(() => message.remove(), STAYS_MS);
}
