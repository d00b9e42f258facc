/**
 * Symbolic links that other users have planted.
 *
 * @module
 */

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
