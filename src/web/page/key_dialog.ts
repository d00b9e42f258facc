/**
 * The question for an API key.
 *
 * @module
 */

import { element } from "./dom.ts";

/**
 * Asks for a key until one is given.
 *
 * @param problem Reason why the last one was refused.
 * @returns The key.
 */
export function askForKey(problem: string | undefined): Promise<string> {
  return new Promise((resolve) => {
    const input = element("input", {
      id: "key",
      type: "password",
      autocomplete: "off",
      spellcheck: "false",
      required: true,
      "aria-describedby": "key-note",
    });
    const form = element(
      "form.sheet",
      { method: "dialog" },
      element("h2", {}, "API key"),
      element(
        "p",
        { id: "key-note" },
        "This server asks for a key. It is kept until this tab is closed.",
      ),
      problem === undefined ? undefined : element("p.problem", { role: "alert" }, problem),
      element("label", { for: "key" }, "Key"),
      input,
      element("div.row.end", {}, element("button.primary", { type: "submit" }, "Open")),
    );
    const dialog = element("dialog.modal", { "aria-label": "API key" }, form);
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(input.value.trim());
    });
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
