/**
 * Elements of the page. Text becomes text nodes, never markup: names of streams are not ours.
 *
 * @module
 */

/** Attributes and listeners of an element; `undefined` and `false` leave an attribute out. */
export interface Attributes {
  readonly [name: string]:
    | string
    | number
    | boolean
    | undefined
    | ((event: never) => void);
}

/** Children of an element; `undefined` is left out. */
export type Child = Node | string | undefined;

/**
 * Makes an element.
 *
 * @param tag Tag and classes, `"button.primary"`.
 * @param attributes Attributes; a function is a listener, `{ click: () => … }`.
 * @param children Elements and texts.
 */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K | `${K}.${string}`,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name!) as HTMLElementTagNameMap[K];
  made.classList.add(...classes);
  setAttributes(made, attributes);
  for (const child of children) if (child !== undefined) made.append(child);
  return made;
}

/** Sets attributes and listeners. */
export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") target.addEventListener(name, value as EventListener);
    else if (value === undefined || value === false) target.removeAttribute(name);
    else target.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Sets the text of an element, unless it is that already. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes a drawing of strokes on a grid of 16 × 16, in the colour of the text around it.
 *
 * @param path Path data.
 */
export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  setAttributes(svg, { class: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" });
  const stroke = document.createElementNS(SVG, "path");
  stroke.setAttribute("d", path);
  svg.append(stroke);
  return svg;
}

/** A button with a drawing; its name is read out and shown as a tooltip. */
export function iconButton(
  name: string,
  path: string,
  onClick: () => void,
  attributes: Attributes = {},
): HTMLButtonElement {
  return element(
    "button.icon-button",
    { type: "button", title: name, "aria-label": name, click: onClick, ...attributes },
    icon(path),
  );
}
