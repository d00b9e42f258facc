/**
 * Symbolic links that other users have planted.
 *
 * @module
 */

import { neededNodeModule } from "./node_module.ts";

/** The part of `node:fs` that is used. */
interface Files {
  lstatSync(path: string): Owned & { isSymbolicLink(): boolean };
  readlinkSync(path: string): string;
  statSync(path: string): Owned;
}

/** The part of `node:path` that is used. */
interface Paths {
  dirname(path: string): string;
  resolve(...paths: string[]): string;
}

/** Links that lead to each other, one after another, as many as Linux follows. */
const MAX_LINKS = 40;

/** Bit of a mode: others may write. */
const OTHERS_WRITE = 0o002;

/** Owner and permissions of a file, link or folder; `null` where the system has none. */
interface Owned {
  readonly uid: number | null;
  readonly mode: number | null;
}

/**
 * True for a link that leads wherever another user likes: in a folder that everyone may write to, it
 * belongs neither to the folder's owner nor to this user. Linux keeps the same rule for folders with
 * the sticky bit, but not for a program that asks where a link leads.
 *
 * @param link The link itself.
 * @param folder The folder that it is in.
 * @param user This user; `null` or absent on systems without.
 */
export function isForeignLink(
  link: Pick<Owned, "uid">,
  folder: Owned,
  user: number | null | undefined,
): boolean {
  return ((folder.mode ?? 0) & OTHERS_WRITE) !== 0 && link.uid !== folder.uid && link.uid !== user;
}

/**
 * Finds the first link of another user on the way from a path to its file, as {@linkcode isForeignLink}
 * has it. Links in the parent folders are followed as ever.
 *
 * @param name The path.
 * @param user Tells this user. It is asked only about a link that may be of another one.
 * @returns The path of the link; `undefined` if there is none, or if the system does not find the way.
 * @throws If Deno does not permit to look at a link's folder, or at what a link leads to.
 */
export function foreignLinkAt(
  name: string,
  user: () => number | null | undefined,
): string | undefined {
  const { lstatSync, readlinkSync, statSync } = neededNodeModule<Files>("node:fs", "A link");
  const { dirname, resolve } = neededNodeModule<Paths>("node:path", "A link");
  let path = resolve(name);
  for (let links = 0; links < MAX_LINKS; links++) {
    let link: ReturnType<Files["lstatSync"]>;
    try {
      link = lstatSync(path);
    } catch (error) {
      // Nobody follows the path further than the system does, or than Deno permits from its beginning.
      if (links === 0 || (error as { code?: unknown }).code !== undefined) return undefined;
      throw error;
    }
    if (!link.isSymbolicLink()) return undefined;
    const folder = statSync(dirname(path));
    if (isForeignLink(link, folder, undefined) && isForeignLink(link, folder, user())) return path;
    path = resolve(dirname(path), readlinkSync(path));
  }
  return undefined;
}
