/**
 * Finds or creates the streams of a source's columns.
 *
 * @module
 */

import type { BTrDB } from "../client/btrdb.ts";
import type { Stream } from "../client/stream.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { checkSeries, SeriesRefusal } from "../core/series_annotations.ts";
import { didYouMean, nearest } from "../core/suggest.ts";
import { ImportError, optionError } from "./errors.ts";
import type { ColumnMeta, TargetOptions } from "./options.ts";
import type { Source, SourceColumn } from "./source.ts";
import {
  findByPath,
  isUuid,
  type NamedStream,
  nameStream,
  streamsOf,
} from "../client/stream_paths.ts";

/** Streams looked for, or made, at the same time. */
const AT_ONCE = 32;
/** Columns of one collection from which on its streams are listed instead of looked for one by one. */
const LISTED = 8;

/** Characters of a name that an error shows. */
const SHOWN_NAME = 100;

/** The stream of a column, there already or not. */
export interface Target {
  /** `collection/name`, or a uuid. */
  readonly path: string;
  /** The stream, where there is one. */
  readonly found?: NamedStream | undefined;
  /** Of a new one. */
  readonly collection: string;
  /** Of a new one. */
  readonly tags: Readonly<Record<string, string>>;
  /** Of a new one. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Options of the user for one column. */
type Wish = ColumnMeta & { readonly column: SourceColumn };

/**
 * Finds the stream of each column; makes none. A column goes to the stream that `--map` or `--meta`
 * says, else to a stream that its name or uuid names already, else to the stream of its name in the
 * collection `into`.
 */
export async function findTargets(
  db: BTrDB,
  source: Pick<Source, "columns" | "hasStations" | "hasCollections">,
  options: TargetOptions,
  into: string,
): Promise<Target[]> {
  const { columns } = source;
  const mapped = keyed(options.maps ?? [], columns, "--map");
  const units = options.units ?? [];
  const own = keyed(units.filter((word) => word.includes("=")), columns, "--unit");
  const [all, other] = units.filter((word) => !word.includes("="));
  if (other !== undefined) {
    throw optionError(`Cannot use --unit ${other}: there is another --unit for all columns`);
  }
  checkMeta(options.meta ?? {}, columns);
  const listing = new Listing(db, columns.length);
  const targets = await mapConcurrently(columns, AT_ONCE, (column, i) => {
    const meta = metaOf(options.meta ?? {}, column);
    const wish: Wish = { ...meta, column };
    const name = mapped.get(i) ?? meta.name;
    const unit = own.get(i) ?? meta.unit ?? all ?? column.unit;
    const station = source.hasStations === true && column.collection !== undefined;
    if (station && options.into !== undefined) {
      const nested = { ...column, collection: `${into.replace(/\/+$/, "")}/${column.collection}` };
      const nestedWish = { ...wish, column: nested, name, unit };
      return namingColumn(column.name, () => targetOf(listing, nestedWish, true, into));
    }
    const isFree = options.into === undefined || source.hasCollections === true;
    return namingColumn(
      column.name,
      () => targetOf(listing, { ...wish, name, unit }, isFree, into),
    );
  });
  checkDistinct(columns, targets);
  if (source.hasCollections === true) await checkAllSeries(columns, targets);
  return targets;
}

/** Checks that no stream is that of another series. */
async function checkAllSeries(
  columns: readonly SourceColumn[],
  targets: readonly Target[],
): Promise<void> {
  await mapConcurrently(targets, AT_ONCE, async ({ found, collection }, i) => {
    if (found === undefined) return;
    const { name, annotations = {} } = columns[i]!;
    const [there] = await found.stream.annotations();
    try {
      checkSeries(
        new Map(Object.entries(there)),
        new Map(Object.entries(annotations)),
        name,
        collection,
      );
    } catch (error) {
      if (error instanceof SeriesRefusal) throw optionError(`Cannot import: ${error.message}`);
      throw error;
    }
  });
}

async function targetOf(
  listing: Listing,
  { column, name, unit, tags, annotations }: Wish,
  free: boolean,
  into: string,
): Promise<Target> {
  const rest = {
    tags: { ...column.tags, ...tags, ...(unit === undefined ? {} : { unit }) },
    annotations: { ...column.annotations, ...annotations },
  };
  const made = (collection: string, last: string): Target => {
    const path = `${collection}/${last}`;
    return { path, collection, ...rest, tags: { name: last, ...rest.tags } };
  };
  const said = name ?? column.name;
  if (isUuid(said)) {
    const found = await listing.byUuid(said);
    if (found !== undefined) return { ...made(into, said), path: said, found };
    if (name !== undefined) {
      throw new ImportError(`There is no stream ${said}`, { fault: "missing" });
    }
  }
  if (said.includes("/")) {
    const found = await listing.byPath(said);
    if (found !== undefined) return { ...made(into, said), path: found.path, found };
    const at = said.lastIndexOf("/");
    if (name !== undefined) {
      if (at <= 0 || at === said.length - 1) {
        throw optionError(`Cannot create ${said}: expected COLLECTION/NAME`);
      }
      return made(said.slice(0, at), said.slice(at + 1));
    }
  }
  const proposed = free && name === undefined ? column.collection : undefined;
  const collection = proposed ?? into;
  const last = proposed !== undefined && said.startsWith(`${collection}/`)
    ? said.slice(collection.length + 1)
    : said;
  const target = made(collection, last);
  const found = await listing.inCollection(collection, last);
  return found === undefined ? target : { ...target, found };
}

/** Makes the streams that are not there. */
export async function createTargets(
  db: BTrDB,
  targets: readonly Target[],
): Promise<NamedStream[]> {
  return await mapConcurrently(targets, AT_ONCE, async (target) => {
    if (target.found !== undefined) return target.found;
    const { collection, tags, annotations } = target;
    return await nameStream(
      await namingColumn(
        target.path,
        () => db.create(crypto.randomUUID(), collection, { tags, annotations }),
      ),
    );
  });
}

/** Codes of names and values that no stream can have. */
const INVALID: readonly number[] = [
  ErrorCode.InvalidCollection,
  ErrorCode.InvalidTagKey,
  ErrorCode.InvalidTagValue,
];

/**
 * Does something with a stream; errors of names that no stream can have name the column.
 *
 * @throws {ImportError} For those.
 */
async function namingColumn<T>(name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (!(cause instanceof BTrDBError) || !INVALID.includes(cause.code)) throw cause;
    const shown = name.length > SHOWN_NAME ? `${name.slice(0, SHOWN_NAME)}…` : name;
    throw new ImportError(
      `Cannot import ${
        JSON.stringify(shown)
      }: ${cause.message}; collections, names and units have ` +
        "1 to 255 bytes, without NUL",
      { hint: "--map gives a column another stream, --unit another unit", cause },
    );
  }
}

/** The streams of a database, looked up as few times as will do. */
class Listing {
  readonly #db: BTrDB;
  readonly #all: boolean;
  readonly #collections = new Map<string, Promise<Map<string, NamedStream[]>>>();

  constructor(db: BTrDB, columns: number) {
    this.#db = db;
    this.#all = columns >= LISTED;
  }

  async byUuid(uuid: string): Promise<NamedStream | undefined> {
    const stream: Stream = this.#db.streamFromUUID(uuid);
    return await stream.exists() ? await nameStream(stream) : undefined;
  }

  async byPath(path: string): Promise<NamedStream | undefined> {
    return one(await findByPath(this.#db, path), path);
  }

  async inCollection(collection: string, name: string): Promise<NamedStream | undefined> {
    const path = `${collection}/${name}`;
    if (!this.#all) return one(await streamsOf(this.#db, collection, { name }), path);
    let known = this.#collections.get(collection);
    if (known === undefined) this.#collections.set(collection, known = this.#list(collection));
    return one((await known).get(name) ?? [], path);
  }

  async #list(collection: string): Promise<Map<string, NamedStream[]>> {
    const found = new Map<string, NamedStream[]>();
    for (const stream of await streamsOf(this.#db, collection)) {
      if (stream.name === undefined) continue;
      const list = found.get(stream.name) ?? [];
      list.push(stream);
      found.set(stream.name, list);
    }
    return found;
  }
}

function one(found: readonly NamedStream[], path: string): NamedStream | undefined {
  if (found.length <= 1) return found[0];
  const uuids = found.map(({ uuid }) => uuid).join(", ");
  throw optionError(`Several streams are called ${path}`, `use the uuid with --map: ${uuids}`);
}

function metaOf(meta: Readonly<Record<string, ColumnMeta>>, column: SourceColumn): ColumnMeta {
  return Object.hasOwn(meta, column.name) ? meta[column.name]! : {};
}

function checkMeta(
  meta: Readonly<Record<string, ColumnMeta>>,
  columns: readonly SourceColumn[],
): void {
  const names = columns.map(({ name }) => name);
  const strange = Object.keys(meta).find((name) => !names.includes(name));
  if (strange === undefined) return;
  throw optionError(
    `Cannot use --meta: there is no column ${JSON.stringify(strange)}`,
    columnsHint(strange, names),
  );
}

function columnsHint(key: string, names: readonly string[]): string {
  const some = `columns are ${names.slice(0, 8).join(", ")}${names.length > 8 ? ", …" : ""}`;
  return didYouMean(nearest(key, names), some);
}

/** Values of `COLUMN=…`, by the index of the column; a column is named, or numbered from 1. */
function keyed(
  words: readonly string[],
  columns: readonly SourceColumn[],
  option: string,
): Map<number, string> {
  const found = new Map<number, string>();
  for (const word of words) {
    const named = columns.findIndex(({ name }) => word.startsWith(`${name}=`));
    const at = named < 0 ? word.indexOf("=") : columns[named]!.name.length;
    const [key, value] = [word.slice(0, at), word.slice(at + 1)];
    if (at < 0 || value === "") {
      throw optionError(`Cannot use ${option} ${word}: expected COLUMN=…`);
    }
    const index = named >= 0 ? named : columns.findIndex(({ number }) => String(number) === key);
    if (index < 0) {
      throw optionError(
        `Cannot use ${option} ${word}: there is no column ${key}`,
        columnsHint(key, columns.map(({ name }) => name)),
      );
    }
    if (found.has(index)) {
      const { name } = columns[index]!;
      throw optionError(`Cannot use ${option} ${word}: there is another ${option} for ${name}`);
    }
    found.set(index, value);
  }
  return found;
}

function checkDistinct(columns: readonly SourceColumn[], targets: readonly Target[]): void {
  const seen = new Map<string, number>();
  for (const [i, { path, found }] of targets.entries()) {
    const id = found?.uuid ?? path;
    const other = seen.get(id);
    seen.set(id, i);
    if (other === undefined) continue;
    const [a, b] = [columns[other]!, columns[i]!];
    const alike = a.name === b.name && b.number !== undefined;
    const key = alike ? String(b.number) : b.name;
    throw optionError(
      alike
        ? `Cannot import: columns ${a.number} and ${key} both are called ${b.name}`
        : `Cannot import: columns ${a.name} and ${key} both go to ${path}`,
      `give one another stream with --map ${
        JSON.stringify(`${key}=COLLECTION/NAME`)
      }, or take only some with --column`,
    );
  }
}
