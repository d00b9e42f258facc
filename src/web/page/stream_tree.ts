/**
 * The tree of collections and streams, with search. Only the rows in sight are elements, so that
 * 100,000 streams are as quick as ten.
 *
 * @module
 */

import type { NamedStream } from "../../client/named_stream.ts";
import type { Catalog, Folder } from "./catalog.ts";
import { element, icon, setAttributes, setText } from "./dom.ts";
import { ICONS } from "./icons.ts";
import { addRows, openWhileSmall, type TreeRow } from "./tree_rows.ts";

/** Height of a row, CSS pixels; the same as in the style sheet. */
const ROW = 28;

/** Rows beyond the edges that are made too. */
const MARGIN_ROWS = 6;

/** Options of a {@linkcode StreamTree}. */
export interface StreamTreeOptions {
  readonly catalog: Catalog;
  /** Called when a stream is chosen, or no longer. */
  readonly onToggle: (stream: NamedStream) => void;
  /** Colour of a stream that is plotted. */
  readonly colorOf: (uuid: string) => string | undefined;
  /** The last value of a stream as text, or undefined if it is not known yet. */
  readonly lastValueOf: (stream: NamedStream) => string | undefined;
  /** Called with the streams whose rows are in sight. */
  readonly onShown: (streams: readonly NamedStream[]) => void;
}

/** A tree with search. */
export class StreamTree {
  readonly root: HTMLElement;
  readonly #options: StreamTreeOptions;
  readonly #open = new Set<string>();
  readonly #search: HTMLInputElement;
  readonly #summary: HTMLElement;
  readonly #viewport: HTMLElement;
  readonly #rowsElement: HTMLElement;
  /** Says why there are no rows; the summary is what is read out. */
  readonly #nothing: HTMLElement = element("p.nothing", { "aria-hidden": "true", hidden: true });
  readonly #elements = new Map<number, { readonly key: string; readonly element: HTMLElement }>();
  #rows: TreeRow[] = [];
  #active = 0;
  #isLoading = true;
  #frame = 0;

  constructor(options: StreamTreeOptions) {
    this.#options = options;
    this.#search = element("input", {
      type: "search",
      placeholder: "Search streams",
      "aria-label": "Search streams",
      autocomplete: "off",
      spellcheck: "false",
      input: () => this.#searched(),
      keydown: (event: KeyboardEvent) => this.#searchKey(event),
    });
    this.#summary = element("p.summary", { role: "status" }, "Reading streams");
    this.#rowsElement = element("div.rows");
    this.#viewport = element("div.tree", {
      role: "tree",
      tabindex: 0,
      "aria-label": "Streams",
      "aria-multiselectable": "true",
      scroll: () => this.#schedule(),
      keydown: (event: KeyboardEvent) => this.#key(event),
      focus: () => this.#schedule(),
      blur: () => this.#schedule(),
    }, this.#rowsElement);
    this.root = element(
      "section.streams",
      { "aria-label": "Streams of the server" },
      element("div.search", {}, icon(ICONS.search), this.#search),
      this.#nothing,
      this.#viewport,
      this.#summary,
    );
    new ResizeObserver(() => this.#schedule()).observe(this.#viewport);
  }

  /** Puts the cursor into the search. */
  focusSearch(): void {
    this.#search.focus();
    this.#search.select();
  }

  /** Draws again what changed: streams, colours, values. */
  update(isLoading: boolean): void {
    this.#isLoading = isLoading;
    const { root } = this.#options.catalog;
    if (!isLoading && this.#open.size === 0) openWhileSmall(root, this.#open);
    this.#collect();
  }

  /** Draws the rows in sight again. */
  refresh(): void {
    this.#schedule();
  }

  #collect(): void {
    const text = this.#search.value.trim();
    const { catalog } = this.#options;
    if (text === "") {
      this.#rows = [];
      addRows(catalog.root, 0, this.#open, this.#rows);
    } else {
      this.#rows = catalog.search(text).map((stream) => ({ kind: "stream", stream, level: 0 }));
    }
    this.#active = Math.min(this.#active, Math.max(0, this.#rows.length - 1));
    setText(this.#summary, this.#summaryText(text));
    this.#nothing.hidden = this.#rows.length > 0 || this.#isLoading;
    setText(this.#nothing, text === "" ? "There are no streams" : "No stream has all these words");
    this.#rowsElement.style.height = `${this.#rows.length * ROW}px`;
    this.#schedule();
  }

  #summaryText(search: string): string {
    const { size, isCut } = this.#options.catalog;
    const all = `${count(size)} stream${size === 1 ? "" : "s"}`;
    if (search !== "") return `${count(this.#rows.length)} of ${all}`;
    if (this.#isLoading) return `Reading streams, ${count(size)} so far`;
    return isCut ? `The first ${all}` : all;
  }

  #searched(): void {
    this.#active = 0;
    this.#viewport.scrollTop = 0;
    this.#collect();
  }

  #searchKey(event: KeyboardEvent): void {
    if (event.key === "ArrowDown") {
      event.preventDefault();
      this.#viewport.focus();
    } else if (event.key === "Enter" && this.#rows.length > 0) {
      this.#activate(0);
    } else if (event.key === "Escape" && this.#search.value !== "") {
      event.stopPropagation();
      this.#search.value = "";
      this.#searched();
    }
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = this.#rows[this.#active];
    const page = Math.max(1, Math.floor(this.#viewport.clientHeight / ROW) - 1);
    const moves: Record<string, number> = {
      ArrowDown: this.#active + 1,
      ArrowUp: this.#active - 1,
      Home: 0,
      End: this.#rows.length - 1,
      PageDown: this.#active + page,
      PageUp: this.#active - page,
    };
    const move = moves[event.key];
    if (move !== undefined) this.#moveTo(move);
    else if (event.key === "Enter" || event.key === " ") this.#activate(this.#active);
    else if (event.key === "ArrowRight" && row?.kind === "folder") {
      if (this.#open.has(row.folder.path)) this.#moveTo(this.#active + 1);
      else this.#activate(this.#active);
    } else if (event.key === "ArrowLeft" && row !== undefined) {
      if (row.kind === "folder" && this.#open.has(row.folder.path)) this.#activate(this.#active);
      else this.#moveTo(this.#parentOf(this.#active));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #parentOf(index: number): number {
    const level = this.#rows[index]!.level;
    let at = index;
    while (at > 0 && this.#rows[at]!.level >= level) at--;
    return at;
  }

  #moveTo(index: number): void {
    this.#active = Math.max(0, Math.min(this.#rows.length - 1, index));
    const top = this.#active * ROW;
    const { scrollTop, clientHeight } = this.#viewport;
    if (top < scrollTop) this.#viewport.scrollTop = top;
    if (top + ROW > scrollTop + clientHeight) this.#viewport.scrollTop = top + ROW - clientHeight;
    this.#draw();
  }

  #activate(index: number): void {
    const row = this.#rows[index];
    if (row === undefined) return;
    this.#active = index;
    if (row.kind === "stream") this.#options.onToggle(row.stream);
    else {
      const { path } = row.folder;
      if (!this.#open.delete(path)) this.#open.add(path);
      this.#collect();
    }
  }

  #range(margin: number): [number, number] {
    const from = Math.floor(this.#viewport.scrollTop / ROW) - margin;
    const to = Math.ceil((this.#viewport.scrollTop + this.#viewport.clientHeight) / ROW) + margin;
    return [Math.max(0, from), Math.min(this.#rows.length, to)];
  }

  #schedule(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const [from, to] = this.#range(MARGIN_ROWS);
    // Elements that still show the same row stay: a click must not lose its target.
    const before = new Map(this.#elements);
    this.#elements.clear();
    let place = this.#rowsElement.firstChild;
    for (let i = from; i < to; i++) {
      const key = this.#keyOf(i);
      const known = before.get(i);
      const made = known?.key === key ? known.element : this.#rowElement(i);
      if (known?.element === made) before.delete(i);
      // In the order of the rows, for those who read them one after the other.
      if (place === made) place = made.nextSibling;
      else this.#rowsElement.insertBefore(made, place);
      made.classList.toggle("active", i === this.#active);
      this.#showValue(i, made);
      this.#elements.set(i, { key, element: made });
    }
    for (const { element } of before.values()) element.remove();
    this.#options.onShown(
      this.#rows.slice(from, to).flatMap((row) => row.kind === "stream" ? [row.stream] : []),
    );
    setAttributes(this.#viewport, {
      "aria-activedescendant": this.#rows.length > 0 ? `row-${this.#active}` : undefined,
    });
  }

  /** Everything that an element of a row depends on, but for what changes in place. */
  #keyOf(index: number): string {
    const row = this.#rows[index]!;
    if (row.kind === "folder") {
      const { path, size } = row.folder;
      return `folder ${row.level} ${size} ${this.#open.has(path)} ${path}`;
    }
    const isFound = this.#search.value.trim() !== "";
    const { uuid, path } = row.stream;
    return `stream ${row.level} ${isFound} ${uuid} ${this.#options.colorOf(uuid)} ${path}`;
  }

  #showValue(index: number, made: HTMLElement): void {
    const row = this.#rows[index]!;
    if (row.kind !== "stream") return;
    const value = this.#options.lastValueOf(row.stream);
    const unit = row.stream.unit ?? "";
    setText(made.lastElementChild!, value === undefined ? unit : `${value} ${unit}`.trimEnd());
  }

  #rowElement(index: number): HTMLElement {
    const row = this.#rows[index]!;
    const made = element("div.tree-row", {
      id: `row-${index}`,
      role: "treeitem",
      "aria-level": row.level + 1,
      click: () => {
        this.#activate(index);
        this.#schedule();
      },
    });
    made.style.transform = `translateY(${index * ROW}px)`;
    made.style.paddingInlineStart = `${8 + 14 * row.level}px`;
    if (row.kind === "folder") fillFolder(made, row.folder, this.#open.has(row.folder.path));
    else this.#fillStream(made, row.stream);
    return made;
  }

  #fillStream(row: HTMLElement, stream: NamedStream): void {
    const color = this.#options.colorOf(stream.uuid);
    const isFound = this.#search.value.trim() !== "";
    const name = isFound ? stream.path : stream.name ?? stream.uuid;
    const swatch = element("span.swatch");
    if (color !== undefined) swatch.style.background = color;
    const unit = stream.unit ?? "";
    setAttributes(row, {
      "aria-selected": color !== undefined ? "true" : "false",
      title: `${stream.path}${unit && ` (${unit})`}\n${stream.uuid}`,
    });
    if (color !== undefined) row.classList.add("plotted");
    row.append(
      swatch,
      element("span.name", {}, isFound ? element("bdi", {}, name) : name),
      element("span.last", {}, unit),
    );
  }
}

function fillFolder(row: HTMLElement, folder: Folder, isOpen: boolean): void {
  row.classList.add("folder");
  if (isOpen) row.classList.add("open");
  setAttributes(row, { "aria-expanded": isOpen ? "true" : "false", title: folder.path });
  row.append(
    icon(ICONS.chevron),
    element("span.name", {}, folder.name === "" ? "(no name)" : folder.name),
    element("span.last", {}, count(folder.size)),
  );
}

function count(n: number): string {
  return n.toLocaleString("en");
}
