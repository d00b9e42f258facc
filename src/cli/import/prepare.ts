/**
 * From a file name and options to an import that is ready to run.
 *
 * @module
 */

import { concatBytes } from "../../core/bytes.ts";
import type { BTrDB, InsertOptions } from "../../../mod.ts";
import { untilAborted } from "../../core/call.ts";
import type { Context } from "../context.ts";
import { filePath } from "../context.ts";
import { CliError, usageError } from "../errors.ts";
import { mapConcurrently } from "../../core/concurrency.ts";
import { totals } from "../ranges.ts";
import { type NamedStream, nameStream } from "../words/stream_names.ts";
import { type ByteSource, openSource, readBytes, type ReadCounter } from "./bytes.ts";
import { CsvSource } from "./csv_source.ts";
import { detectLayout, type LayoutWishes, type TableLayout } from "./layout.ts";
import { headDigest, type ImportRecord, loadRecord, readHead, recordPath } from "./record.ts";
import { START, type TableSource } from "./source.ts";
import { Spool } from "./spool.ts";
import { findTargets, type Target, type TargetWishes } from "./targets.ts";

/** What the user wants. */
export interface ImportWishes {
  format: "csv" | "parquet" | undefined;
  layout: LayoutWishes;
  targets: Omit<TargetWishes, "into"> & { into: string | undefined };
  resume: boolean;
  /** Whether the file may be another one after the place where the import stopped. */
  changed: boolean;
  restart: boolean;
  /** What becomes of points at times that are stored already. */
  mergePolicy: NonNullable<InsertOptions["mergePolicy"]>;
}

/** An import that is ready, or was found to be. */
export interface Prepared {
  source: TableSource;
  streams: NamedStream[];
  /** Streams that were made for it. */
  created: number;
  record: ImportRecord;
  path: string;
  resumed: boolean;
}

/** Bytes looked at to find out how a table looks. */
const SNIFF_BYTES = 262_144;
/** Streams looked at at the same time. */
const AT_ONCE = 8;

/**
 * Opens a file, finds or creates its streams, and finds the record of an import that was
 * interrupted.
 */
export async function prepareImport(
  context: Context,
  db: BTrDB,
  file: string,
  wishes: ImportWishes,
): Promise<Prepared> {
  const bytes = await openSource(file);
  if (file === "-" && Deno.stdin.isTerminal()) context.talk("Reading what is typed, up to Ctrl-D");
  const input = await openInput(bytes, wishes.format, context.signal);
  const identity = await identify(bytes, input.head);
  const target = targetName(context.target);
  const path = await recordPath(
    identity.path === "-" ? `-${identity.head}` : identity.path,
    target,
  );
  const known = wishes.restart ? undefined : await recordOf(db, path);
  const old = known?.done && !wishes.resume ? undefined : known;
  const asked = { format: wishes.format, layout: wishes.layout, targets: wishes.targets };
  if (old !== undefined) {
    if (!wishes.resume) throw unfinished(file, old);
    checkSame(file, old, identity, asked, wishes.changed);
    old.source = identity;
    const source = await input.open(old.layout);
    const streams = await Promise.all(
      old.streams.map(({ uuid }) => nameStream(db.streamFromUUID(uuid))),
    );
    if (old.done) await rebase(old, streams);
    return { source, streams, created: 0, record: old, path, resumed: true };
  }
  if (wishes.resume) context.talk(`Nothing to resume for ${file}: importing all of it`);
  const source = await input.open(undefined, wishes.layout, (text) => context.talk(text));
  source.check?.(input.head);
  const into = wishes.targets.into ?? collectionOf(file);
  const targets = await findTargets(db, source, {
    ...wishes.targets,
    into,
  });
  const doubles = wishes.mergePolicy === "never" && known?.done === true && !input.once;
  if (doubles && isSame(known, identity, targets)) {
    context.warn(
      `${file} was imported before: its points are there twice now; --merge equal drops equal ones, ` +
        "--resume takes only what is new",
    );
  }
  const record: ImportRecord = {
    format: 1,
    source: identity,
    target,
    wishes: asked,
    layout: source.layout,
    streams: [],
    position: START,
  };
  const counts = await mapConcurrently(targets, AT_ONCE, async ({ stream, created }) => {
    return created ? 0n : (await totals(stream.stream)).count;
  });
  for (const [i, { stream }] of targets.entries()) {
    record.streams.push({ uuid: stream.uuid, before: String(counts[i]), stored: "0" });
  }
  return {
    source,
    streams: targets.map(({ stream }) => stream),
    created: targets.filter(({ created }) => created).length,
    record,
    path,
    resumed: false,
  };
}

/**
 * The record of an import. One whose streams are not there is of a database that was, under the same
 * name: a file that was removed, memory that is gone.
 */
async function recordOf(db: BTrDB, path: string): Promise<ImportRecord | undefined> {
  const record = await loadRecord(path);
  if (record === undefined) return undefined;
  for (const { uuid } of record.streams) {
    if (await db.streamFromUUID(uuid).exists()) return record;
  }
  return undefined;
}

/** Whether an import that is done was of the same file into the same streams. */
function isSame(
  { source, streams }: ImportRecord,
  identity: ImportRecord["source"],
  targets: readonly Target[],
): boolean {
  const uuids = new Set(streams.map(({ uuid }) => uuid));
  return JSON.stringify(source) === JSON.stringify(identity) &&
    targets.some(({ stream }) => uuids.has(stream.uuid));
}

/** After a complete import, what else came to the streams counts as if it had been there before. */
async function rebase(record: ImportRecord, streams: readonly NamedStream[]): Promise<void> {
  for (const [i, { stream }] of streams.entries()) {
    const known = record.streams[i]!;
    known.before = String((await totals(stream)).count - BigInt(known.stored));
  }
}

/** The format said, or the one that the first bytes show. */
function formatOf(head: Uint8Array, wish: "csv" | "parquet" | undefined): "csv" | "parquet" {
  return wish ?? (new TextDecoder().decode(head.subarray(0, 4)) === "PAR1" ? "parquet" : "csv");
}

/** The collection of columns that do not name theirs: the name of the file. */
function collectionOf(file: string): string {
  if (file === "-" || file.startsWith("/dev/")) return "stdin";
  return file.split(/[/\\]/).at(-1)!.replace(/\.(gz|zst)$/i, "").replace(/\.[^.]*$/, "") ||
    "import";
}

/** The database in the record: a path without its ways to write it. */
function targetName(target: string | undefined): string {
  if (target === undefined) return `env:${Deno.env.get("BTRDB_ENDPOINTS") ?? ""}`;
  const path = filePath(target);
  if (path === undefined) return target;
  try {
    return `file:${Deno.realPathSync(path)}`;
  } catch {
    return target;
  }
}

interface Input {
  /** The first bytes, unpacked. */
  head: Uint8Array;
  /** Whether it can be read only once. */
  once: boolean;
  open(
    layout: unknown,
    wishes?: LayoutWishes,
    notice?: (text: string) => void,
  ): Promise<TableSource>;
}

async function openInput(
  bytes: ByteSource,
  wish: "csv" | "parquet" | undefined,
  signal: AbortSignal,
): Promise<Input> {
  const counter: ReadCounter = { bytes: 0 };
  const { once } = bytes;
  const stream = once ? await peek(untilAborted(readBytes(bytes, 0, counter), signal)) : undefined;
  const head = stream?.head ?? await readHead(bytes, SNIFF_BYTES);
  if (formatOf(head, wish) === "parquet") {
    const all = stream?.all ?? readBytes(bytes, 0, counter);
    return { head, once, open: parquetOpener(bytes, untilAborted(all, signal)) };
  }
  if (head.includes(0)) {
    const wide = head[0] === 0xff || head[0] === 0xfe;
    throw new CliError(`Cannot import ${bytes.path}: it is neither text nor Parquet`, {
      hint: wide ? "is it UTF-16? `iconv -f utf-16 -t utf-8` makes text of it" : undefined,
    });
  }
  const text = new TextDecoder().decode(head, { stream: true });
  return {
    head,
    once,
    open: (layout, wishes, notice) => {
      const known = layout as TableLayout | undefined ?? detectLayout(text, wishes!, notice!);
      return Promise.resolve(new CsvSource(bytes, known, stream?.all, counter));
    },
  };
}

/** Opens Parquet; what comes once or packed is kept first, because the end must be read first. */
function parquetOpener(bytes: ByteSource, all: AsyncIterable<Uint8Array>): Input["open"] {
  return async (layout, wishes) => {
    const { ParquetSource } = await import("./parquet_source.ts");
    const plain = !bytes.once && bytes.packing === "none";
    const spool = plain ? undefined : await Spool.of(all);
    return await ParquetSource.open(bytes, spool, layout, wishes);
  };
}

/** The first bytes of something that can be read only once, and all of it. */
async function peek(
  chunks: AsyncGenerator<Uint8Array, void, void>,
): Promise<{ head: Uint8Array; all: AsyncIterable<Uint8Array> }> {
  const parts: Uint8Array[] = [];
  let length = 0;
  while (length < SNIFF_BYTES) {
    const next = await chunks.next();
    if (next.done) break;
    parts.push(next.value);
    length += next.value.length;
  }
  async function* all(): AsyncGenerator<Uint8Array, void, void> {
    yield* parts.splice(0);
    yield* chunks;
  }
  return { head: concatBytes(parts).slice(0, SNIFF_BYTES), all: all() };
}

async function identify(bytes: ByteSource, head: Uint8Array): Promise<ImportRecord["source"]> {
  return {
    path: bytes.once ? "-" : await Deno.realPath(bytes.path),
    size: bytes.size ?? null,
    modifiedMs: bytes.modifiedMs ?? null,
    head: await headDigest(head),
  };
}

function unfinished(file: string, record: ImportRecord): CliError {
  const points = record.streams.reduce((sum, { stored }) => sum + BigInt(stored), 0n);
  return new CliError(
    `An import of ${file} into this database was interrupted after ${points} points or more`,
    {
      hint:
        "--resume goes on where it stopped, --restart imports the file from its beginning again",
    },
  );
}

function checkSame(
  file: string,
  record: ImportRecord,
  source: ImportRecord["source"],
  wishes: unknown,
  mayChange: boolean,
): void {
  const { size, modifiedMs, head } = record.source;
  const changed = size !== source.size || modifiedMs !== source.modifiedMs;
  const early = head !== source.head && record.position.offset > 0;
  if (early || (changed && !mayChange)) {
    throw new CliError(`Cannot resume: ${file} was changed since the import began`, {
      hint: early
        ? "--restart imports it from its beginning"
        : "--changed says that it was changed only after the place where the import stopped",
    });
  }
  if (JSON.stringify(record.wishes) !== JSON.stringify(wishes)) {
    throw usageError("Cannot resume: the import began with other options", "use the same ones");
  }
}
