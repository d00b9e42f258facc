/**
 * The frame of the page: the bar at the top, streams at the left, the figure, the line of state.
 *
 * @module
 */

import type { Action } from "../plotter/keyboard.ts";
import type { ConnectionState } from "./connection.ts";
import { element, icon, iconButton, setAttributes, setText } from "./dom.ts";
import { ICONS } from "./icons.ts";
import { menuButton, type MenuEntry } from "./menu.ts";

/** Parts of the page, and what its buttons do. */
export interface ShellOptions {
  readonly range: readonly HTMLElement[];
  readonly tree: HTMLElement;
  readonly figure: HTMLElement;
  readonly table: HTMLElement;
  readonly differences: HTMLElement;
  readonly spoken: HTMLElement;
  readonly act: (action: Action) => void;
  readonly exportEntries: () => readonly MenuEntry[];
  readonly viewEntries: () => readonly MenuEntry[];
  readonly onTryNow: () => void;
}

/** State of the view that buttons show. */
export interface ShellState {
  readonly isEmpty: boolean;
  /** False if the server is known to have none. */
  readonly hasStreams: boolean;
  readonly isLive: boolean;
  readonly canGoBack: boolean;
  readonly canGoForward: boolean;
}

/** Pages as narrow as phones; the same width as in the style sheet. */
const NARROW = matchMedia("(max-width: 760px)");

/** The frame. */
export class Shell {
  readonly root: HTMLElement;
  /** Description of the figure for those who do not see it. */
  readonly summary: HTMLElement = element("p.hidden-text", { id: "figure-summary" });
  readonly #back: HTMLButtonElement;
  readonly #forward: HTMLButtonElement;
  readonly #live: HTMLButtonElement;
  readonly #side: HTMLButtonElement;
  readonly #server: HTMLElement = element("span.server");
  readonly #state: HTMLElement = element("span.view-state", { role: "status" });
  readonly #banner: HTMLElement;
  readonly #bannerText: HTMLElement = element("span");
  readonly #empty: HTMLElement;
  readonly #emptyText: HTMLElement = element("div");
  #hasStreams: boolean | undefined;

  constructor(options: ShellOptions) {
    const { act } = options;
    const button = (name: string, path: string, action: Action, key: string) =>
      iconButton(name, path, () => act(action), { title: `${name} (${key})` });
    this.#side = button("List of streams", ICONS.menu, "side", "s");
    this.#back = button("Back to the view before", ICONS.back, "back", "Backspace");
    this.#forward = button("Forward again", ICONS.forward, "forward", "\\");
    this.#live = element(
      "button.menu-button",
      {
        type: "button",
        "aria-pressed": "false",
        title: "Follow the present (l)",
        click: () => act("live"),
      },
      icon(ICONS.live),
      element("span.wide-only", {}, "Live"),
    );
    this.#live.setAttribute("aria-label", "Live");
    this.#banner = element(
      "div.banner",
      { role: "alert", hidden: true },
      this.#bannerText,
      element("button", { type: "button", click: options.onTryNow }, "Try now"),
    );
    this.#empty = element(
      "div.empty",
      {},
      icon(ICONS.axis),
      this.#emptyText,
    );
    const bar = element(
      "header.bar",
      {},
      this.#side,
      element("h1.brand.wide-only", {}, "BTrDB"),
      element("span.separator.wide-only"),
      ...options.range,
      this.#live,
      element("span.separator.wide-only"),
      this.#back,
      this.#forward,
      button("Zoom out", ICONS.minus, "zoom-out", "-"),
      button("Zoom in", ICONS.plus, "zoom-in", "+"),
      button("Show all data", ICONS.fit, "fit", "0"),
      element("span.gap"),
      menuButton("View", [icon(ICONS.eye), label("View")], options.viewEntries),
      menuButton("Export", [icon(ICONS.share), label("Export")], options.exportEntries),
      button("Keys and gestures", ICONS.help, "help", "?"),
    );
    this.root = element(
      "div.app",
      {},
      bar,
      element("aside.side", { "aria-label": "Streams" }, options.tree),
      element(
        "main.main",
        {},
        this.#banner,
        this.summary,
        options.figure,
        options.table,
        options.spoken,
      ),
      element("footer.state", {}, this.#server, this.#state),
    );
    this.root.querySelector(".main")!.addEventListener("pointerdown", (event) => {
      // On a phone the list lies over the figure: a touch beside it puts it away.
      if (!NARROW.matches || this.root.classList.contains("narrow-side")) return;
      event.stopPropagation();
      this.openSide(false);
    }, { capture: true });
    options.figure.append(options.differences, this.#empty);
    // Where there is no more room, as at 200 % zoom, the list must not come to lie over the figure.
    NARROW.addEventListener("change", () => this.openSide(!NARROW.matches));
    this.openSide(!NARROW.matches);
  }

  /** Opens or closes the list of streams; the other of both if not said. */
  openSide(isOpen: boolean = this.root.classList.contains("narrow-side")): void {
    this.root.classList.toggle("narrow-side", !isOpen);
    setAttributes(this.#side, { "aria-expanded": String(isOpen) });
  }

  /** Shows the state of the connection. */
  showConnection(state: ConnectionState): void {
    const isLost = state.kind === "lost";
    this.#server.className = isLost ? "server lost" : "server";
    const text = isLost ? "No connection" : state.kind === "ready" ? location.host : "Connecting";
    this.#server.replaceChildren(element("span.dot"), text);
    this.#banner.hidden = !isLost;
    if (!isLost) return;
    setText(
      this.#bannerText,
      `The server does not answer. What is drawn stays, and the page goes on by itself when the ` +
        `server is back. (${state.message})`,
    );
  }

  /** Shows the state of the view. */
  showState(text: string): void {
    setText(this.#state, text);
  }

  /** Updates buttons. */
  update({ isEmpty, hasStreams, isLive, canGoBack, canGoForward }: ShellState): void {
    this.#empty.hidden = !isEmpty;
    if (hasStreams !== this.#hasStreams) this.#emptyText.replaceChildren(...emptyTexts(hasStreams));
    this.#hasStreams = hasStreams;
    this.#back.disabled = !canGoBack;
    this.#forward.disabled = !canGoForward;
    setAttributes(this.#live, { "aria-pressed": String(isLive) });
  }
}

/** Texts of a figure without streams; on a phone there are neither keys nor a list at the left. */
function emptyTexts(hasStreams: boolean): HTMLElement[] {
  if (!hasStreams) {
    return [
      element("h2", {}, "No streams yet"),
      element("p", {}, "Load the page again once something was written to this database."),
    ];
  }
  return [
    element("h2", {}, "Choose a stream"),
    element(
      "p.wide-only",
      {},
      "Streams are listed at the left. Type / to search them, ? for all keys.",
    ),
    element("p.narrow-only", {}, "Open the list of streams with the button at the top left."),
  ];
}

function label(text: string): HTMLElement {
  return element("span.wide-only", {}, text);
}
