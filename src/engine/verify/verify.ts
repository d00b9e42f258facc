/**
 * Checking a database file: every block, every node against its children, every version.
 *
 * @module
 */

import { compareBytes } from "../../core/bytes.ts";
import type { RawColumns } from "../../core/columns.ts";
import { BTrDBError } from "../../core/errors.ts";
import { uuidText } from "../../core/uuid.ts";
import { decodeBlock } from "../../kernel/block.ts";
import { BUFFER_POINTS, FANOUT, FIRST_MAJOR, LEAF_POINTS } from "../constants.ts";
import { ROOT_POINTWIDTH, ROOT_START } from "../constants.ts";
import { ABSENT, INNER, InnerNode, innerStats, LEAF, type Node, type Stats } from "../tree/node.ts";
import { decodeNode } from "../tree/node_codec.ts";
import { openForReading } from "../open.ts";
import { damaged } from "../file/checksum.ts";
import { COLUMNS, descriptorOf, sortKey } from "../metadata/store.ts";
import { isDue, yieldToEventLoop } from "../pacer.ts";
import { isSorted } from "../../kernel/find_bad_point.ts";
import type { Database, Row, Statement } from "../file/sqlite.ts";
import { foreignObjects } from "../file/schema.ts";
import { sqliteError } from "../file/sqlite.ts";
import { reduceValues } from "../tree/stats.ts";
import {
  collectionProblems,
  isJournalRowWhole,
  isPrunedBelowPossible,
  isVersionRowWhole,
  journalIndexProblems,
  propertyProblems,
  reclaimProblems,
  settingProblems,
  strayJournalProblems,
  tombstoneProblems,
} from "./tables.ts";

/** Most problems that are listed. */
const MAX_PROBLEMS = 100;

/** Findings of {@linkcode verify}. */
export interface VerifyReport {
  /** True if everything is as it should be. */
  ok: boolean;
  /** Streams checked. */
  streams: number;
  /** Versions checked. */
  versions: number;
  /** Blocks checked. */
  blocks: number;
  /** Points in the latest versions, buffered ones included. */
  points: bigint;
  /** Problems found, at most 100 entries. */
  problems: string[];
}

function nothingChecked(): VerifyReport {
  return { ok: true, streams: 0, versions: 0, blocks: 0, points: 0n, problems: [] };
}

/** Position that a node must have. */
interface Place {
  pointwidth: number;
  start: bigint;
  end: bigint;
}

/** One pass over a database. */
class Verifier {
  readonly report: VerifyReport = nothingChecked();
  readonly #db: Database;
  readonly #path: string;
  readonly #block: Statement;
  /** Statistics of the nodes seen, by address. */
  readonly #seen = new Map<number, Stats>();
  /** True if the version under way is being removed: some of its blocks are gone already. */
  #mayLackBlocks = false;

  constructor(db: Database, path: string) {
    this.#db = db;
    this.#path = path;
    this.#block = db.prepare("SELECT data FROM block WHERE id = ?");
  }

  *run(): Generator<undefined> {
    yield* this.#part(this.#pages());
    yield* this.#part(this.#streams());
    yield* this.#part(this.#obliterated());
    yield* this.#part(this.#orphans());
    for (const problems of TABLES) yield* this.#part(this.#list(problems(this.#db)));
  }

  /** Goes on with the next part where damage keeps SQLite from reading this one to its end. */
  *#part(part: Generator<undefined>): Generator<undefined> {
    try {
      yield* part;
    } catch (error) {
      this.#problem(damageOf(error, this.#path));
    }
  }

  *#list(problems: Iterable<string | undefined>): Generator<undefined> {
    for (const problem of problems) {
      if (problem === undefined) yield;
      else this.#problem(problem);
    }
  }

  #problem(text: string): void {
    this.report.ok = false;
    if (this.report.problems.length < MAX_PROBLEMS) this.report.problems.push(text);
  }

  /** SQLite's own structures. */
  *#pages(): Generator<undefined> {
    for (const row of this.#db.prepare("PRAGMA integrity_check(20)").all()) {
      const text = String(row["integrity_check"]);
      if (text !== "ok") this.#problem(`SQLite: ${text}`);
      yield;
    }
  }

  *#streams(): Generator<undefined> {
    const sql = `SELECT id, sort_key, pruned_below, ${COLUMNS} FROM stream`;
    for (const row of this.#db.prepare(sql).all()) {
      this.report.streams++;
      this.#metadata(row);
      yield* this.#stream(row);
    }
  }

  #metadata(row: Row): void {
    try {
      const { collection, tags } = descriptorOf(row);
      const key = sortKey(collection, tags);
      if (compareBytes(key, row["sort_key"] as Uint8Array) !== 0) {
        throw damaged(`the sort key of stream number ${row["id"]}`);
      }
    } catch (error) {
      this.#problem((error as Error).message);
    }
  }

  *#stream(row: Row): Generator<undefined> {
    const name = `Stream ${uuidText(row["uuid"] as Uint8Array)}`;
    const id = Number(row["id"]);
    const prunedBelow = Number(row["pruned_below"]);
    const isPruning = this.#removedBelow(id) > 0;
    const first = isPruning ? undefined : Math.max(prunedBelow, FIRST_MAJOR + 1);
    const stats = yield* this.#versions(name, id, first);
    if (!isPrunedBelowPossible(prunedBelow, this.#versionRows(id).length)) {
      this.#problem(`${name}: it cannot have been pruned below version ${prunedBelow}`);
    }
    this.report.points += BigInt(stats?.count ?? 0);
    yield* this.#journal(name, id);
  }

  /** Streams that were obliterated and are still being removed. */
  *#obliterated(): Generator<undefined> {
    const sql = "SELECT DISTINCT stream FROM version WHERE stream NOT IN (SELECT id FROM stream)";
    for (const row of this.#db.prepare(sql).all()) {
      const stream = Number(row["stream"]);
      const name = `Obliterated stream number ${stream}`;
      if (this.#removedBelow(stream) === 0) this.#problem(`${name} is not going to be removed`);
      yield* this.#versions(name, stream);
    }
  }

  /** The version below which a stream's versions are being removed; 0 if none are. */
  #removedBelow(stream: number): number {
    const row = this.#db.prepare("SELECT below FROM reclaim WHERE stream = ?").get(stream);
    return Number(row?.["below"] ?? 0);
  }

  #versionRows(stream: number): Row[] {
    return this.#db.prepare(
      "SELECT major, root, checksum FROM version WHERE stream = ? ORDER BY major",
    ).all(stream);
  }

  /**
   * Checks the versions of a stream.
   *
   * @param first The oldest version that must be there; absent if any may be.
   * @returns Statistics of the latest one.
   */
  *#versions(
    name: string,
    stream: number,
    first?: number,
  ): Generator<undefined, Stats | undefined> {
    let expected = first;
    let since = 0;
    let stats: Stats | undefined;
    const removedBelow = this.#removedBelow(stream);
    for (const version of this.#versionRows(stream)) {
      const major = Number(version["major"]);
      const at = `${name}, version ${major}`;
      if (major !== (expected ?? major)) this.#problem(`${at}: expected version ${expected}`);
      if (!isVersionRowWhole(stream, version)) {
        this.#problem(`${at}: its checksum does not fit`);
      }
      expected = major + 1;
      this.report.versions++;
      this.#mayLackBlocks = major < removedBelow;
      stats = yield* this.#version(at, Number(version["root"]), major, since);
      since = major;
    }
    return stats;
  }

  /** Checks the nodes of a version that no version before it has. */
  *#version(
    at: string,
    root: number,
    major: number,
    since: number,
  ): Generator<undefined, Stats | undefined> {
    if (root === 0) return undefined;
    const place = { pointwidth: ROOT_POINTWIDTH, start: ROOT_START, end: 0n };
    return yield* this.#node(at, root, INNER, place, major, since);
  }

  *#node(
    at: string,
    address: number,
    kind: number,
    place: Place,
    major: number,
    since: number,
  ): Generator<undefined, Stats | undefined> {
    yield;
    const node = this.#read(at, address);
    if (node === undefined) return undefined;
    let stats: Stats;
    if (node instanceof InnerNode) {
      if (kind !== INNER) this.#problem(`${at}: block ${address} is not a leaf`);
      yield* this.#inner(at, address, node, place, major, since);
      stats = innerStats(node);
    } else {
      if (kind !== LEAF) this.#problem(`${at}: block ${address} is not an inner node`);
      this.#leaf(at, address, node, place);
      stats = reduceValues(node.values, 0, node.values.length);
    }
    this.#seen.set(address, stats);
    return stats;
  }

  *#inner(
    at: string,
    address: number,
    node: InnerNode,
    place: Place,
    major: number,
    since: number,
  ): Generator<undefined> {
    if (node.pointwidth !== place.pointwidth || node.start !== place.start) {
      this.#problem(`${at}: block ${address} lies elsewhere in the tree`);
      return;
    }
    for (let b = 0; b < FANOUT; b++) {
      const generation = node.generations[b]!;
      if (generation > major) this.#problem(`${at}: block ${address} is from a later version`);
      const kind = node.kinds[b]!;
      if (kind === ABSENT) continue;
      const child = node.addresses[b]!;
      let stats = this.#seen.get(child);
      if (generation > since || stats === undefined) {
        stats = yield* this.#node(
          at,
          child,
          kind,
          {
            pointwidth: node.childPointwidth,
            start: node.bucketStart(b),
            end: node.bucketStart(b + 1),
          },
          major,
          since,
        );
      }
      if (stats !== undefined) this.#compare(at, address, node, b, stats);
    }
  }

  #compare(at: string, address: number, node: InnerNode, b: number, stats: Stats): void {
    const same = node.counts[b] === stats.count && Object.is(node.mins[b], stats.min) &&
      Object.is(node.maxs[b], stats.max) && Object.is(node.means[b], stats.mean) &&
      Object.is(node.m2s[b], stats.m2);
    if (!same) {
      this.#problem(`${at}: the statistics of bucket ${b} of block ${address} are not its child's`);
    }
  }

  #leaf(at: string, address: number, { times }: RawColumns, place: Place): void {
    if (!isSorted(times)) this.#problem(`${at}: block ${address} is not in order of time`);
    if (times[0]! < place.start || times.at(-1)! >= place.end) {
      this.#problem(`${at}: block ${address} has points outside its range`);
    }
    if (place.pointwidth > 0 && times.length > LEAF_POINTS) {
      this.#problem(`${at}: block ${address} has ${times.length} points, at most ${LEAF_POINTS}`);
    }
  }

  #read(at: string, address: number): Node | undefined {
    const block = this.#block.get(address)?.["data"] as Uint8Array | undefined;
    if (block === undefined) {
      if (this.#mayLackBlocks) return undefined;
      this.#problem(`${at}: block ${address} is missing`);
      return undefined;
    }
    this.report.blocks++;
    try {
      return decodeNode(address, block);
    } catch (error) {
      this.#problem(`${at}: ${(error as Error).message}`);
      return undefined;
    }
  }

  *#journal(name: string, stream: number): Generator<undefined> {
    let points = 0;
    const rows = this.#db.prepare(
      "SELECT seq, points, checksum, data FROM journal WHERE stream = ?",
    );
    for (const row of rows.all(stream)) {
      points += Number(row["points"]);
      this.#journalRow(`${name}: journal row ${row["seq"]}`, stream, row);
      yield;
    }
    if (points >= BUFFER_POINTS) this.#problem(`${name}: ${points} points in the journal`);
    this.report.points += BigInt(points);
  }

  #journalRow(at: string, stream: number, row: Row): void {
    if (!isJournalRowWhole(stream, row)) {
      this.#problem(`${at}: its checksum does not fit`);
      return;
    }
    const { times } = decodeBlock(row["data"] as Uint8Array);
    if (times.length !== row["points"]) this.#problem(`${at}: it has ${times.length} points`);
  }

  /** Blocks that belong to no version. */
  *#orphans(): Generator<undefined> {
    const page = this.#db.prepare("SELECT id FROM block WHERE id > ? ORDER BY id LIMIT 1000");
    let last = Number.MIN_SAFE_INTEGER;
    for (let rows = page.all(last); rows.length > 0; rows = page.all(last)) {
      for (const row of rows) {
        last = Number(row["id"]);
        if (!this.#seen.has(last)) this.#problem(`Block ${last} belongs to no version`);
      }
      yield;
    }
  }
}

/** Checks of the other tables. */
const TABLES = [
  (db: Database): string[] => foreignObjects(db),
  reclaimProblems,
  journalIndexProblems,
  propertyProblems,
  strayJournalProblems,
  collectionProblems,
  tombstoneProblems,
  settingProblems,
];

/**
 * Text to report for an error that was caused by damage.
 *
 * @throws Any other error.
 */
function damageOf(error: unknown, path: string): string {
  const mapped = sqliteError(error, path);
  if (mapped instanceof BTrDBError && mapped.status === "CORRUPT") return mapped.message;
  throw mapped;
}

/**
 * Checks a database file without changing it: SQLite's structures, the checksum of every block, the
 * statistics of every inner node against its children, the order and range of every leaf, the chain
 * of versions, the journal, and that the other tables fit to them. It may run beside a writer.
 *
 * @param path Database file.
 * @returns A report; damage is reported, not thrown.
 * @throws {BTrDBError} If the file cannot be opened, or is no database of this engine.
 */
export async function verify(path: string): Promise<VerifyReport> {
  let db: Database | undefined;
  try {
    db = openForReading(path);
    db.exec("BEGIN");
    const verifier = new Verifier(db, path);
    for (const _ of verifier.run()) if (isDue()) await yieldToEventLoop();
    return verifier.report;
  } catch (error) {
    return { ...nothingChecked(), ok: false, problems: [damageOf(error, path)] };
  } finally {
    db?.close();
  }
}
