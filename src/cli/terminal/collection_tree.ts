/**
 * Collections as a tree.
 *
 * @module
 */

import type { Style } from "./style.ts";
import { lineOut } from "./escape.ts";

interface Node {
  /** True if this node is a collection itself, not only the beginning of longer names. */
  real: boolean;
  children: Map<string, Node>;
}

/**
 * Draws collections as a tree; parts of names that are no collection themselves end in a slash.
 *
 * @param collections Names, parts separated by slashes.
 * @param style Colours of the lines.
 * @returns Lines, each ended by `\n`.
 */
export function collectionTree(collections: readonly string[], style: Style): string {
  const root: Node = { real: false, children: new Map() };
  for (const collection of collections) {
    let at = root;
    for (const part of collection.split("/")) {
      let child = at.children.get(part);
      if (child === undefined) at.children.set(part, child = { real: false, children: new Map() });
      at = child;
    }
    at.real = true;
  }
  let text = "";
  for (const [name, node] of root.children) {
    text += `${nodeName(name, node, style)}\n${branches(node, "", style)}`;
  }
  return text;
}

function nodeName(name: string, node: Node, style: Style): string {
  return node.real ? style.bold(lineOut(name)) : `${lineOut(name)}/`;
}

function branches(node: Node, indent: string, style: Style): string {
  const children = [...node.children];
  return children.map(([name, child], i) => {
    const last = i === children.length - 1;
    const line = `${style.dim(indent + (last ? "└── " : "├── "))}${nodeName(name, child, style)}\n`;
    return line + branches(child, indent + (last ? "    " : "│   "), style);
  }).join("");
}
