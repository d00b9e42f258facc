/**
 * From the columns of a table to streams.
 *
 * @module
 */

import type { BTrDB } from "../../../mod.ts";
import { splitOnce } from "../words/parse_args.ts";
import { usageError } from "../errors.ts";
import { nearest } from "../words/suggest.ts";
import { mapConcurrently } from "../../core/concurrency.ts";
import {
  findByPath,
  isUuid,
  type NamedStream,
  nameStream,
  resolveStream,
  splitPath,
} from "../words/stream_names.ts";
import type { TableSource } from "./source.ts";

/** Streams looked for at the same time. */
const AT_ONCE = 8;

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
 * @param table Names of the columns, and their numbers and units, where the source knows them.
 */
export async function findTargets(
  db: BTrDB,
  table: Pick<TableSource, "labels" | "numbers" | "units">,
  wishes: TargetWishes,
): Promise<Target[]> {
  const { labels, units } = table;
  const mapped = keyed(wishes.maps, table, "--map");
  const own = keyed(wishes.units.filter((word) => word.includes("=")), table, "--unit");
  const all = wishes.units.find((word) => !word.includes("="));
  const paths = labels.map((label, i) => pathOf(mapped.get(i) ?? label, wishes.into));
  checkDistinct(table, paths);
  return await mapConcurrently(
    paths,
    AT_ONCE,
    (path, i) => findOrCreate(db, path, own.get(i) ?? all ?? units?.[i]),
  );
}

/** What `COLUMN=…` says, by the index of the column; a column is named, or numbered from 1. */
function keyed(
  words: readonly string[],
  { labels, numbers }: Pick<TableSource, "labels" | "numbers">,
  option: string,
): Map<number, string> {
  const found = new Map<number, string>();
  for (const word of words) {
    const label = labels.find((label) => word.startsWith(`${label}=`));
    const [key, value] = label === undefined
      ? splitOnce(word, "=")
      : [label, word.slice(label.length + 1)];
    if (value === undefined || value === "") {
      throw usageError(`Cannot use ${option} ${word}: expected COLUMN=…`);
    }
    const index = label === undefined ? numbers?.indexOf(Number(key)) ?? -1 : labels.indexOf(label);
    if (index < 0) {
      const near = nearest(key, labels);
      throw usageError(
        `Cannot use ${option} ${word}: there is no column ${key}`,
        near.length > 0
          ? `did you mean ${near.join(" or ")}?`
          : `columns are ${labels.slice(0, 8).join(", ")}${labels.length > 8 ? ", …" : ""}`,
      );
    }
    found.set(index, value);
  }
  return found;
}

function pathOf(name: string, into: string): string {
  return isUuid(name) || name.includes("/") ? name : `${into}/${name}`;
}

function checkDistinct(
  { labels, numbers }: Pick<TableSource, "labels" | "numbers">,
  paths: readonly string[],
): void {
  const seen = new Map<string, number>();
  for (const [i, path] of paths.entries()) {
    const other = seen.get(path);
    seen.set(path, i);
    if (other === undefined) continue;
    const alike = labels[other] === labels[i] && numbers !== undefined;
    const key = alike ? String(numbers[i]) : labels[i]!;
    throw usageError(
      alike
        ? `Cannot import: columns ${numbers[other]} and ${key} both are called ${labels[i]}`
        : `Cannot import: columns ${labels[other]} and ${key} both go to ${path}`,
      `give one another stream with --map ${
        JSON.stringify(`${key}=COLLECTION/NAME`)
      }, or take only ` +
        "some with --column",
    );
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
