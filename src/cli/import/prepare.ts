/**
 * From a file name and options to an import that is ready to run.
 *
 * @module
 */

import type { BTrDB } from "../../../mod.ts";
import { untilAborted } from "../abortable.ts";
import type { Context } from "../context.ts";
import { filePath } from "../context.ts";
import { CliError, usageError } from "../errors.ts";
import { totals } from "../ranges.ts";
import { type NamedStream, nameStream } from "../streams.ts";
import { type ByteSource, openSource, readBytes, type ReadCounter } from "./bytes.ts";
import { CsvSource } from "./csv_source.ts";
import { detectLayout, type LayoutWishes, type TableLayout } from "./layout.ts";
import {
  headDigest,
  type ImportRecord,
  joinBytes,
  loadRecord,
  readHead,
  recordPath,
} from "./record.ts";
import { START, type TableSource } from "./source.ts";
import { findTargets, type TargetWishes } from "./targets.ts";

/** What the user wants. */
export interface ImportWishes {
  format: "csv" | "parquet" | undefined;
  layout: LayoutWishes;
  targets: Omit<TargetWishes, "into"> & { into: string | undefined };
  resume: boolean;
  /** Whether the file may be another one after the place where the import stopped. */
  changed: boolean;
  restart: boolean;
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
  const input = await openInput(bytes, formatOf(file, wishes.format), context.signal);
  const identity = await identify(bytes, input.head);
  const target = targetName(context.target);
  const path = await recordPath(
    identity.path === "-" ? `-${identity.head}` : identity.path,
    target,
  );
  const known = wishes.restart ? undefined : await loadRecord(path);
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
  const into = wishes.targets.into ?? collectionOf(file);
  const targets = await findTargets(db, source.labels, source.units ?? [], {
    ...wishes.targets,
    into,
  });
  const record: ImportRecord = {
    format: 1,
    source: identity,
    target,
    wishes: asked,
    layout: source.layout,
    streams: [],
    position: START,
  };
  for (const { stream, created } of targets) {
    const before = created ? 0n : (await totals(stream.stream)).count;
    record.streams.push({ uuid: stream.uuid, before: String(before), stored: "0" });
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

/** After a complete import, what else came to the streams counts as if it had been there before. */
async function rebase(record: ImportRecord, streams: readonly NamedStream[]): Promise<void> {
  for (const [i, { stream }] of streams.entries()) {
    const known = record.streams[i]!;
    known.before = String((await totals(stream)).count - BigInt(known.stored));
  }
}

function formatOf(file: string, wish: "csv" | "parquet" | undefined): "csv" | "parquet" {
  return wish ?? (/\.parquet$/i.test(file) ? "parquet" : "csv");
}

/** The collection of columns that do not name theirs: the name of the file. */
function collectionOf(file: string): string {
  if (file === "-") return "stdin";
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
  open(
    layout: unknown,
    wishes?: LayoutWishes,
    notice?: (text: string) => void,
  ): Promise<TableSource>;
}

async function openInput(
  bytes: ByteSource,
  format: "csv" | "parquet",
  signal: AbortSignal,
): Promise<Input> {
  if (format === "parquet") return await openParquet(bytes);
  const counter: ReadCounter = { bytes: 0 };
  const stdin = bytes.path === "-"
    ? await peek(untilAborted(readBytes(bytes, 0, counter), signal))
    : undefined;
  const head = stdin?.head ?? await readHead(bytes, SNIFF_BYTES);
  const text = new TextDecoder().decode(head, { stream: true });
  return {
    head,
    open: (layout, wishes, notice) => {
      const known = layout as TableLayout | undefined ?? detectLayout(text, wishes!, notice!);
      return Promise.resolve(new CsvSource(bytes, known, stdin?.all, counter));
    },
  };
}

async function openParquet(bytes: ByteSource): Promise<Input> {
  if (bytes.path === "-" || bytes.packing !== "none") {
    throw usageError("Cannot import Parquet from stdin or packed: its end must be read first");
  }
  const head = await readHead(bytes, SNIFF_BYTES);
  return {
    head,
    open: async (layout, wishes) => {
      const { ParquetSource } = await import("./parquet_source.ts");
      return await ParquetSource.open(bytes, layout, wishes);
    },
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
  return { head: joinBytes(parts).slice(0, SNIFF_BYTES), all: all() };
}

async function identify(bytes: ByteSource, head: Uint8Array): Promise<ImportRecord["source"]> {
  return {
    path: bytes.path === "-" ? "-" : await Deno.realPath(bytes.path),
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
