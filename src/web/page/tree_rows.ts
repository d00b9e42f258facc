/**
 * Rows of the tree of streams: folders that are open, and what is in them.
 *
 * @module
 */

import type { NamedStream } from "../../client/named_stream.ts";
import type { Folder } from "./catalog.ts";

/** A row. */
export type TreeRow =
  | { readonly kind: "folder"; readonly folder: Folder; readonly level: number }
  | { readonly kind: "stream"; readonly stream: NamedStream; readonly level: number };

/** Adds the rows below a folder. */
export function addRows(
  folder: Folder,
  level: number,
  open: ReadonlySet<string>,
  rows: TreeRow[],
): void {
  for (const child of folder.folders.values()) {
    rows.push({ kind: "folder", folder: child, level });
    if (open.has(child.path)) addRows(child, level + 1, open, rows);
  }
  for (const stream of folder.streams) rows.push({ kind: "stream", stream, level });
}

/** Opens folders as long as not too many rows come of it. */
export function openWhileSmall(folder: Folder, open: Set<string>): void {
  for (const child of folder.folders.values()) {
    if (folder.folders.size > 12 || child.size > 60) continue;
    open.add(child.path);
    openWhileSmall(child, open);
  }
  const [only] = folder.folders.values();
  if (folder.folders.size === 1 && only !== undefined && !open.has(only.path)) {
    open.add(only.path);
    openWhileSmall(only, open);
  }
}
