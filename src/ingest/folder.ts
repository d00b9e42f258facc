/**
 * The files of a folder that can be imported.
 *
 * @module
 */

import { pathError } from "./errors.ts";
import { checkPath } from "../core/check_path.ts";
import { text } from "../client/arguments.ts";
import { checkList } from "../core/check_list.ts";
import { isForeignLink } from "../core/foreign_link.ts";
import type { Dirent } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { getuid } from "node:process";

/** Files beside the `.cfg` of a record of COMTRADE that are read with it, or say nothing of points. */
const COMPANIONS = /\.(?:dat|hdr|inf)$/i;

/** Files that are not there for good: hidden ones, and those that are still being written. */
const PASSING = /^\.|\.(?:part|tmp|crdownload)$|~$/i;

/** Reason for which links that others planted are left out. */
export const FOREIGN_LINK = "a link of another user, in a folder that everyone may write to";

/** Files of a folder. */
export interface FolderFiles {
  /** Paths to import, in the order of their names. */
  readonly files: readonly string[];
  /** Names that are left out, and why. */
  readonly omitted: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Lists the files of a folder, not of those in it: without hidden ones, those under way, and parts of
 * a record that go with another file.
 *
 * @param folder Its path.
 */
export async function filesIn(folder: string): Promise<FolderFiles> {
  checkPath("list the files", folder, "folder");
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    throw pathError(error, "list the files of", folder);
  });
  const names = entries.map(({ name }) => name);
  const stems = new Set(
    names.filter((name) => /\.cfg$/i.test(name)).map((name) => stemOf(name)),
  );
  const files: string[] = [];
  const omitted: { name: string; reason: string }[] = [];
  const foreign = await foreignLinks(folder, entries);
  for (const entry of entries.sort((a, b) => a.name < b.name ? -1 : 1)) {
    const { name } = entry;
    if (entry.isDirectory()) omitted.push({ name, reason: "a folder" });
    else if (foreign.has(name)) omitted.push({ name, reason: FOREIGN_LINK });
    else if (PASSING.test(name)) omitted.push({ name, reason: "hidden or still being written" });
    else if (COMPANIONS.test(name) && stems.has(stemOf(name))) continue;
    else files.push(join(folder, name));
  }
  return { files, omitted };
}

/** Names of links of other users, who could have files imported that only this user may read. */
async function foreignLinks(folder: string, entries: readonly Dirent[]): Promise<Set<string>> {
  const links = entries.filter((entry) => entry.isSymbolicLink());
  const foreign = new Set<string>();
  if (links.length === 0) return foreign;
  const place = await stat(folder);
  for (const { name } of links) {
    const link = await lstat(join(folder, name)).catch(() => undefined);
    if (link !== undefined && isForeignLink(link, place, getuid?.())) foreign.add(name);
  }
  return foreign;
}

/**
 * Files without those that are read with another of them: the `.dat` of a record of COMTRADE whose
 * `.cfg` is there too, as when all files of a folder are named.
 *
 * @param files Their paths.
 */
export function withoutCompanions(files: readonly string[]): string[] {
  checkList("find companions", "files", files);
  for (const [i, file] of files.entries()) text("find companions", file, `files[${i}]`);
  const stems = new Set(files.filter((file) => /\.cfg$/i.test(file)).map(stemOf));
  return files.filter((file) => !(COMPANIONS.test(file) && stems.has(stemOf(file))));
}

function stemOf(name: string): string {
  return name.replace(/\.[^.]*$/, "").toLowerCase();
}
