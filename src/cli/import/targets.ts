/**
 * From the columns of a table to streams.
 *
 * @module
 */

import type { BTrDB } from "../../../mod.ts";
import { splitOnce } from "../args.ts";
import { usageError } from "../errors.ts";
import { nearest } from "../near.ts";
import {
  findByPath,
  isUuid,
  type NamedStream,
  nameStream,
  resolveStream,
  splitPath,
} from "../streams.ts";

/** What the user says about where columns go. */
export interface TargetWishes {
  /** Collection of columns whose names do not say theirs. */
  into: string;
  /** `COLUMN=STREAM`. */
  maps: readonly string[];
  /** `UNIT` or `COLUMN=UNIT`. */
  units: readonly string[];
}

/** A stream that a column goes to. */
export interface Target {
  stream: NamedStream;
  /** Whether it was made now. */
  created: boolean;
}

/**
 * Finds or creates the stream of each column. A column goes to the stream its name says: a uuid,
 * `collection/name`, or a name in the collection `into`.
 *
 * @param labels Names of the columns.
 * @param units Units of the columns, where the source knows them.
 */
export async function findTargets(
  db: BTrDB,
  labels: readonly string[],
  units: readonly (string | undefined)[],
  wishes: TargetWishes,
): Promise<Target[]> {
  const mapped = keyed(wishes.maps, labels, "--map");
  const own = keyed(wishes.units.filter((word) => word.includes("=")), labels, "--unit");
  const all = wishes.units.find((word) => !word.includes("="));
  const paths = labels.map((label) => pathOf(mapped.get(label) ?? label, wishes.into));
  checkDistinct(labels, paths);
  const targets: Target[] = [];
  for (const [i, path] of paths.entries()) {
    const unit = own.get(labels[i]!) ?? all ?? units[i];
    targets.push(await findOrCreate(db, path, unit));
  }
  return targets;
}

function keyed(
  words: readonly string[],
  labels: readonly string[],
  option: string,
): Map<string, string> {
  const found = new Map<string, string>();
  for (const word of words) {
    const at = labels.find((label) => word.startsWith(`${label}=`));
    const [key, value] = at === undefined ? splitOnce(word, "=") : [at, word.slice(at.length + 1)];
    if (value === undefined || value === "") {
      throw usageError(`Cannot use ${option} ${word}: expected COLUMN=…`);
    }
    if (!labels.includes(key)) {
      const near = nearest(key, labels);
      throw usageError(
        `Cannot use ${option} ${word}: there is no column ${key}`,
        `columns are ${(near.length > 0 ? near : labels.slice(0, 8)).join(", ")}`,
      );
    }
    found.set(key, value);
  }
  return found;
}

function pathOf(name: string, into: string): string {
  return isUuid(name) || name.includes("/") ? name : `${into}/${name}`;
}

function checkDistinct(labels: readonly string[], paths: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const [i, path] of paths.entries()) {
    const other = seen.get(path);
    if (other !== undefined) {
      throw usageError(
        `Cannot import: columns ${other} and ${labels[i]} both go to ${path}`,
        "give them streams of their own with --map COLUMN=STREAM",
      );
    }
    seen.set(path, labels[i]!);
  }
}

async function findOrCreate(db: BTrDB, path: string, unit: string | undefined): Promise<Target> {
  if (isUuid(path)) return { stream: await resolveStream(db, path), created: false };
  const found = await findByPath(db, path);
  if (found.length === 1) return { stream: found[0]!, created: false };
  if (found.length > 1) return { stream: await resolveStream(db, path), created: false };
  const [parts] = splitPath(path);
  if (parts === undefined) throw usageError(`Cannot create ${path}: expected COLLECTION/NAME`);
  const tags = unit === undefined ? { name: parts.name } : { name: parts.name, unit };
  const stream = await db.create(crypto.randomUUID(), parts.collection, { tags });
  return { stream: await nameStream(stream), created: true };
}
