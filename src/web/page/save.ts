/**
 * Files out of the page, and text for the clipboard.
 *
 * @module
 */

import { element } from "./dom.ts";
import { toast } from "./toast.ts";

/** Time after which the address of a file is given back, ms. */
const KEPT_MS = 60_000;

/** Saves bytes as a file, as the browser does it. */
export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = element("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), KEPT_MS);
}

/** Copies text, and says so. */
export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} copied`);
  } catch {
    // There is no clipboard in plain HTTP from another machine: the text is shown, to be copied.
    showText(text, what);
  }
}

function showText(text: string, what: string): void {
  const area = element("textarea.copied", { readonly: true, rows: 8, "aria-label": what });
  area.value = text;
  const dialog = element(
    "dialog.modal.wide",
    { "aria-label": what },
    element(
      "form.sheet",
      { method: "dialog" },
      element("h2", {}, what),
      area,
      element("div.row.end", {}, element("button.primary", { type: "submit" }, "Close")),
    ),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  area.select();
}

/** A name of a file for a range. */
export function fileName(paths: readonly string[], ending: string): string {
  const [first = "plot"] = paths;
  const safe = first.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|[-.]+$/g, "").slice(0, 80);
  const more = paths.length > 1 ? `-and-${paths.length - 1}-more` : "";
  return `${safe || "plot"}${more}.${ending}`;
}
