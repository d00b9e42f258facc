/**
 * Menus that open below a button.
 *
 * @module
 */

import { type Child, element, setAttributes } from "./dom.ts";

/** An entry of a menu, or a heading over the next ones. */
export type MenuEntry =
  | { readonly heading: string }
  | {
    readonly label: string;
    /** Text at the right, a key for instance. */
    readonly note?: string;
    /** True where the entry is the present choice. */
    readonly isChecked?: boolean;
    readonly isDisabled?: boolean;
    readonly run: () => void;
  };

/** Makes a button that opens a menu. */
export function menuButton(
  name: string,
  content: readonly Child[],
  entries: () => readonly MenuEntry[],
): HTMLButtonElement {
  const button: HTMLButtonElement = element(
    "button.menu-button",
    { type: "button", "aria-haspopup": "menu", "aria-expanded": "false", title: name },
    ...content,
  );
  if (button.textContent === "") button.setAttribute("aria-label", name);
  button.addEventListener("click", () => openMenu(button, name, entries()));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    openMenu(button, name, entries());
  });
  return button;
}

/** Opens a menu below an element; it gets the focus back when the menu closes. */
export function openMenu(
  anchor: HTMLElement,
  name: string,
  entries: readonly MenuEntry[],
): void {
  const items: HTMLButtonElement[] = [];
  const close = (isFocused: boolean) => {
    menu.remove();
    shade.remove();
    setAttributes(anchor, { "aria-expanded": "false" });
    if (isFocused) anchor.focus();
  };
  const rows = entries.map((entry) => {
    if ("heading" in entry) return element("div.menu-heading", {}, entry.heading);
    const { label, note, isChecked, isDisabled, run } = entry;
    const item = element(
      "button.menu-item",
      {
        type: "button",
        role: isChecked === undefined ? "menuitem" : "menuitemradio",
        "aria-checked": isChecked === undefined ? undefined : String(isChecked),
        disabled: isDisabled,
        tabindex: -1,
        click: () => {
          close(true);
          run();
        },
      },
      element("span", {}, label),
      note === undefined ? undefined : element("kbd", {}, note),
    );
    items.push(item);
    return item;
  });
  const move = (step: number) => {
    const at = items.indexOf(document.activeElement as HTMLButtonElement);
    items[(at + step + items.length) % items.length]?.focus();
  };
  const menu = element(
    "div.menu",
    {
      role: "menu",
      "aria-label": name,
      keydown: (event: KeyboardEvent) => {
        if (event.key === "ArrowDown") move(1);
        else if (event.key === "ArrowUp") move(-1);
        else if (event.key === "Home") items[0]?.focus();
        else if (event.key === "End") items.at(-1)?.focus();
        else if (event.key === "Escape") close(true);
        else if (event.key === "Tab") return close(false);
        else return event.stopPropagation();
        event.preventDefault();
        event.stopPropagation();
      },
    },
    ...rows,
  );
  const shade = element("div.shade", { click: () => close(false) });
  document.body.append(shade, menu);
  place(menu, anchor.getBoundingClientRect());
  setAttributes(anchor, { "aria-expanded": "true" });
  (items.find((item) => item.getAttribute("aria-checked") === "true") ?? items[0])?.focus();
}

function place(menu: HTMLElement, { left, bottom, top }: DOMRect): void {
  const { width, height } = menu.getBoundingClientRect();
  const x = Math.max(4, Math.min(left, innerWidth - width - 4));
  const below = bottom + 4 + height <= innerHeight;
  const y = below ? bottom + 4 : Math.max(4, top - 4 - height);
  menu.style.left = `${x}px`;
  menu.style.top = `${y}px`;
}
