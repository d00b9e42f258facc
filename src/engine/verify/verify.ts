/**
 * Checking a database file: every block, every node against its children, every version.
 *
 * @module
 */

import { compareBytes } from "../../core/bytes.ts";
import type { RawColumns } from "../../core/columns.ts";
import { BTrDBError } from "../../core/errors.ts";
import { uuidText } from "../../core/uuid.ts";
import { BUFFER_POINTS, FANOUT, FIRST_MAJOR } from "../constants.ts";
import { childProblem, isSameStats, rootProblem } from "../tree/check_node.ts";
import { ABSENT, InnerNode, type Node, type Stats } from "../tree/node.ts";
import { journalPoints } from "../stream/journal_points.ts";
import { LATE_LIST } from "../tree/block_frame.ts";
import { BlockStore } from "../tree/block_store.ts";
import { decodeLateList, decodeLateRun, type LateList, type LateRun } from "../tree/late_codec.ts";
import { areInLeaves } from "../tree/late_plan.ts";
import { LateStore } from "../tree/late_store.ts";
import { decodeNode } from "../tree/node_codec.ts";
import { type OpenForReading, openForReading } from "../open.ts";
import { bytesOf, damaged } from "../file/checksum.ts";
import { descriptorOf, STREAM_COLUMNS } from "../file/stream_row.ts";
import { sortKey } from "../metadata/store.ts";
import { isDue, yieldToEventLoop } from "../../core/pacer.ts";
import type { Database, Row, Statement } from "../file/sqlite.ts";
import { keyPages } from "../file/key_pages.ts";
import { foreignObjects } from "../file/schema.ts";
import { sqliteError } from "../file/sqlite.ts";
import { reduceValues } from "../tree/stats.ts";
import {
  collectionProblems,
  isJournalRowWhole,
  isPrunedBelowPossible,
  isVersionRowWhole,
  journalIndexProblems,
  keySetProblems,
  propertyProblems,
  reclaimProblems,
  retentionProblems,
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

/** A node that was checked, and where. */
interface Seen {
  stats: Stats;
  /** Number of the stream. */
  stream: number;
  /** Start and pointwidth of its place in the tree. */
  place: string;
  /** The version that wrote it, of an inner node. */
  generation: number | undefined;
}

/** Place of what is beside the trees. */
const LATE_PLACE = "late";

/** Memory for nodes while places are looked up, bytes. */
const CACHE_BYTES = 4_194_304;

type Counted = Pick<Stats, "count">;

/** Version whose nodes are being checked. */
interface Visit {
  /** Beginning of messages. */
  at: string;
  stream: number;
  major: number;
  /** The version before it: older nodes were checked with that. */
  since: number;
  /** True for a version that may have late points. */
  isList?: boolean;
}

/** One pass over a database. */
class Verifier {
  readonly report: VerifyReport = nothingChecked();
  readonly #db: Database;
  readonly #path: string;
  readonly #block: Statement;
  /** The nodes seen, by address; nothing of those that are damaged. */
  readonly #seen = new Map<number, Seen | undefined>();
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
    const sql = `SELECT id, sort_key, pruned_below, ${STREAM_COLUMNS} FROM stream`;
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
      if (compareBytes(key, bytesOf(row["sort_key"], "the sort key")) !== 0) {
        throw damaged(`the sort key of stream number ${row["id"]}`);
      }
    } catch (error) {
      this.#problem((error as Error).message);
    }
  }

  *#stream(row: Row): Generator<undefined> {
    const id = Number(row["id"]);
    const uuid = bytesOf(row["uuid"], `the uuid of stream number ${id}`);
    const name = `Stream ${uuid.length === 16 ? uuidText(uuid) : `number ${id}`}`;
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
   * @returns Number of points of the latest one.
   */
  *#versions(
    name: string,
    stream: number,
    first?: number,
  ): Generator<undefined, Counted | undefined> {
    let expected = first;
    let since = 0;
    let stats: Counted | undefined;
    let latest = 0;
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
      const address = latest = Number(version["root"]);
      stats = address === 0
        ? undefined
        : yield* this.#version({ at, stream, major, since }, address);
      since = major;
    }
    if (stats === undefined || this.#mayLackBlocks) return stats;
    return { count: stats.count + (yield* this.#late(name, latest)) };
  }

  /** Checks what the address of a version leads to: its root, or a list that names it. */
  *#version(visit: Visit, address: number): Generator<undefined, Counted | undefined> {
    const { at } = visit;
    const block = this.#block.get(address)?.["data"] as Uint8Array | undefined;
    if (block?.[4] !== LATE_LIST) return yield* this.#node(visit, address, undefined, 0);
    this.report.blocks++;
    if (this.#seen.has(address)) {
      this.#problem(`${at}: block ${address} is the list of another version`);
      return undefined;
    }
    this.#seen.set(address, undefined);
    let list: LateList;
    try {
      list = decodeLateList(address, block);
    } catch (error) {
      this.#problem(`${at}: ${(error as Error).message}`);
      return undefined;
    }
    for (const run of list.runs) {
      yield;
      this.#run(visit, run);
    }
    return yield* this.#node({ ...visit, isList: true }, list.root, undefined, 0);
  }

  /** Checks a run of late points, unless a version before has it. */
  #run({ at, stream, major }: Visit, run: LateRun): void {
    const { address, count } = run;
    if (this.#seen.has(address)) {
      const seen = this.#seen.get(address);
      if (seen === undefined) return;
      if (seen.stream !== stream || seen.place !== LATE_PLACE) {
        this.#problem(`${at}: block ${address} hangs in the trees twice`);
      } else if (seen.stats.count !== count) {
        this.#problem(`${at}: block ${address} has ${seen.stats.count} points, expected ${count}`);
      }
      return;
    }
    const block = this.#block.get(address)?.["data"] as Uint8Array | undefined;
    if (block === undefined) {
      if (!this.#mayLackBlocks) this.#problem(`${at}: block ${address} is missing`);
      return;
    }
    this.report.blocks++;
    this.#seen.set(address, undefined);
    try {
      const { majors, values } = decodeLateRun(run, block);
      const latest = majors.reduce((a, b) => Math.max(a, b));
      if (latest > major) this.#problem(`${at}: block ${address} is from a later version`);
      const stats = reduceValues(values, 0, values.length);
      this.#seen.set(address, { stats, stream, place: LATE_PLACE, generation: undefined });
    } catch (error) {
      this.#problem(`${at}: ${(error as Error).message}`);
    }
  }

  /**
   * Checks that the late points of the latest version belong to leaves of its tree.
   *
   * @returns Number of them.
   */
  *#late(at: string, address: number): Generator<undefined, number> {
    if (address === 0 || this.#block.get(address)?.["data"] === undefined) return 0;
    const store = new BlockStore(this.#db, CACHE_BYTES, 1);
    try {
      const { root, late, list } = new LateStore(store, 0).open(address);
      if (list === undefined) return 0;
      if (!(yield* areInLeaves(store, root, late))) {
        this.#problem(`${at}: late points belong to no leaf`);
      }
      return late.times.length;
    } catch (error) {
      if (!(error instanceof BTrDBError)) throw error;
      this.#problem(`${at}: ${error.message}`);
      return 0;
    }
  }

  /**
   * Checks a node and what no version before has below it.
   *
   * @param parent The node it hangs in, in bucket `b`; `undefined` for the root.
   */
  *#node(
    visit: Visit,
    address: number,
    parent: InnerNode | undefined,
    b: number,
  ): Generator<undefined, Stats | undefined> {
    yield;
    const { at, stream } = visit;
    const place = parent === undefined
      ? "root"
      : `${parent.bucketStart(b)} ${parent.childPointwidth}`;
    if (this.#seen.has(address)) {
      const seen = this.#seen.get(address);
      if (seen === undefined) return undefined;
      // Versions that differ in late points only have the same root.
      const ofRoot = visit.isList === true ? seen.generation : undefined;
      const generation = parent?.generations[b] ?? ofRoot ?? Infinity;
      if (generation > visit.since || seen.stream !== stream || seen.place !== place) {
        this.#problem(`${at}: block ${address} hangs in the trees twice`);
      } else if (generation !== (seen.generation ?? generation)) {
        this.#problem(`${at}: block ${address} is from another version than its parent says`);
      }
      return seen.stats;
    }
    const node = this.#read(at, address);
    if (node === undefined) {
      if (!this.#mayLackBlocks) this.#seen.set(address, undefined);
      return undefined;
    }
    const problem = parent === undefined ? rootProblem(node) : childProblem(parent, b, node);
    if (problem !== undefined) this.#problem(`${at}: block ${address} ${problem}`);
    if (!(node instanceof InnerNode)) {
      const stats = reduceValues(node.values, 0, node.values.length);
      this.#seen.set(address, { stats, stream, place, generation: undefined });
      return stats;
    }
    const { stats } = node;
    this.#seen.set(address, { stats, stream, place, generation: node.generation });
    if (problem === undefined || isInPlace(parent, b, node)) {
      yield* this.#inner(visit, address, node);
    }
    return stats;
  }

  *#inner(visit: Visit, address: number, node: InnerNode): Generator<undefined> {
    const { at, major } = visit;
    for (let b = 0; b < FANOUT; b++) {
      if (node.generations[b]! > major) {
        this.#problem(`${at}: block ${address} is from a later version`);
      }
      if (node.kinds[b] === ABSENT) continue;
      const stats = yield* this.#node(visit, node.addresses[b]!, node, b);
      if (stats === undefined || isSameStats(bucketStats(node, b), stats)) continue;
      this.#problem(`${at}: the statistics of bucket ${b} of block ${address} are not its child's`);
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
    let points: RawColumns;
    try {
      points = journalPoints(bytesOf(row["data"], "the row"));
    } catch (error) {
      this.#problem(`${at}: ${(error as Error).message}`);
      return;
    }
    const n = points.times.length;
    if (n !== row["points"]) this.#problem(`${at}: it has ${n} points`);
  }

  /** Blocks that belong to no version. */
  *#orphans(): Generator<undefined> {
    const page = this.#db.prepare("SELECT id FROM block WHERE id > ? ORDER BY id LIMIT 1000");
    for (const rows of keyPages((after) => page.all(after), "id", Number.MIN_SAFE_INTEGER)) {
      for (const row of rows) {
        const id = Number(row["id"]);
        if (!this.#seen.has(id)) this.#problem(`Block ${id} belongs to no version`);
      }
      yield;
    }
  }
}

/** Tells whether an inner node lies where it hangs: only then its own children have a place. */
function isInPlace(parent: InnerNode | undefined, b: number, node: InnerNode): boolean {
  return parent === undefined
    ? rootProblem(node) === undefined
    : node.pointwidth === parent.childPointwidth && node.start === parent.bucketStart(b);
}

/** Statistics of a child as its parent has them. */
function bucketStats(node: InnerNode, b: number): Stats {
  return {
    count: node.counts[b]!,
    min: node.mins[b]!,
    mean: node.means[b]!,
    max: node.maxs[b]!,
    m2: node.m2s[b]!,
  };
}

/** Checks of the other tables. */
const TABLES = [
  (db: Database): string[] => foreignObjects(db),
  reclaimProblems,
  retentionProblems,
  journalIndexProblems,
  keySetProblems,
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
  let file: OpenForReading | undefined;
  try {
    file = openForReading(path);
    const { db } = file;
    db.exec("BEGIN");
    const verifier = new Verifier(db, path);
    for (const _ of verifier.run()) if (isDue()) await yieldToEventLoop();
    return verifier.report;
  } catch (error) {
    return { ...nothingChecked(), ok: false, problems: [damageOf(error, path)] };
  } finally {
    file?.db.close();
    file?.header?.close();
  }
}
