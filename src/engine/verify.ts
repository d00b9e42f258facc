/**
 * Checking a database file: every block, every node against its children, every version.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { uuidText } from "../core/uuid.ts";
import { decodeBlock } from "../kernel/block.ts";
import { BUFFER_POINTS, FANOUT, FIRST_MAJOR, LEAF_POINTS } from "./constants.ts";
import { ROOT_POINTWIDTH, ROOT_START } from "./constants.ts";
import { ABSENT, CORE, Core, coreStats, LEAF, type Node, type Stats } from "./node.ts";
import { decodeNode } from "./node_codec.ts";
import { openForReading } from "./open.ts";
import { checkBytes, checkNumbers, damaged } from "./checksum.ts";
import { COLUMNS, compareBytes, descriptorOf, sortKey } from "./metadata.ts";
import { isDue, turn } from "./pacer.ts";
import { isAscending } from "./search.ts";
import type { Database, Row, Statement } from "./sqlite.ts";
import { sqliteError } from "./sqlite.ts";
import { reduceValues } from "./stats.ts";

/** Most problems that are listed. */
const MAX_PROBLEMS = 100;

/** What {@linkcode verify} found. */
export interface VerifyReport {
  /** Whether everything is as it should be. */
  ok: boolean;
  /** Streams checked. */
  streams: number;
  /** Versions checked. */
  versions: number;
  /** Blocks checked. */
  blocks: number;
  /** Points in the latest versions, buffered ones included. */
  points: bigint;
  /** What is wrong, at most 100 entries. */
  problems: string[];
}

/** Where a node must lie. */
interface Place {
  pointwidth: number;
  start: bigint;
  end: bigint;
}

/** One pass over a database. */
class Verifier {
  readonly report: VerifyReport = {
    ok: true,
    streams: 0,
    versions: 0,
    blocks: 0,
    points: 0n,
    problems: [],
  };
  readonly #db: Database;
  readonly #block: Statement;
  /** Statistics of the nodes seen, by address. */
  readonly #seen = new Map<number, Stats>();

  constructor(db: Database) {
    this.#db = db;
    this.#block = db.prepare("SELECT data FROM block WHERE id = ?");
  }

  *run(): Generator<undefined> {
    yield* this.#pages();
    yield* this.#streams();
    yield* this.#orphans();
  }

  #problem(text: string): void {
    this.report.ok = false;
    if (this.report.problems.length < MAX_PROBLEMS) this.report.problems.push(text);
  }

  /** SQLite's own structures. */
  *#pages(): Generator<undefined> {
    for (const row of this.#db.prepare("PRAGMA integrity_check(20)").iterate()) {
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
    const versions = this.#db.prepare(
      "SELECT major, root, checksum FROM version WHERE stream = ? ORDER BY major",
    ).all(row["id"]!);
    let expected = Math.max(Number(row["pruned_below"]), FIRST_MAJOR + 1);
    let since = 0;
    let stats: Stats | undefined;
    for (const version of versions) {
      const major = Number(version["major"]);
      const at = `${name}, version ${major}`;
      if (major !== expected) this.#problem(`${at}: expected version ${expected}`);
      const checksum = checkNumbers(Number(row["id"]), major, Number(version["root"]));
      if (checksum !== version["checksum"]) this.#problem(`${at}: its checksum does not fit`);
      expected = major + 1;
      this.report.versions++;
      stats = yield* this.#version(at, Number(version["root"]), major, since);
      since = major;
    }
    this.report.points += BigInt(stats?.count ?? 0);
    yield* this.#journal(name, Number(row["id"]));
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
    return yield* this.#node(at, root, CORE, place, major, since);
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
    if (node instanceof Core) {
      if (kind !== CORE) this.#problem(`${at}: block ${address} is not a leaf`);
      yield* this.#core(at, address, node, place, major, since);
      stats = coreStats(node);
    } else {
      if (kind !== LEAF) this.#problem(`${at}: block ${address} is not an inner node`);
      this.#leaf(at, address, node, place);
      stats = reduceValues(node.values, 0, node.values.length);
    }
    this.#seen.set(address, stats);
    return stats;
  }

  *#core(
    at: string,
    address: number,
    core: Core,
    place: Place,
    major: number,
    since: number,
  ): Generator<undefined> {
    if (core.pointwidth !== place.pointwidth || core.start !== place.start) {
      this.#problem(`${at}: block ${address} lies elsewhere in the tree`);
      return;
    }
    for (let b = 0; b < FANOUT; b++) {
      const generation = core.generations[b]!;
      if (generation > major) this.#problem(`${at}: block ${address} is from a later version`);
      const kind = core.kinds[b]!;
      if (kind === ABSENT) continue;
      const child = core.addresses[b]!;
      let stats = this.#seen.get(child);
      if (generation > since || stats === undefined) {
        stats = yield* this.#node(
          at,
          child,
          kind,
          {
            pointwidth: core.childPointwidth,
            start: core.bucketStart(b),
            end: core.bucketStart(b + 1),
          },
          major,
          since,
        );
      }
      if (stats !== undefined) this.#compare(at, address, core, b, stats);
    }
  }

  #compare(at: string, address: number, core: Core, b: number, stats: Stats): void {
    const same = core.counts[b] === stats.count && Object.is(core.mins[b], stats.min) &&
      Object.is(core.maxs[b], stats.max) && Object.is(core.means[b], stats.mean) &&
      Object.is(core.m2s[b], stats.m2);
    if (!same) {
      this.#problem(`${at}: the statistics of bucket ${b} of block ${address} are not its child's`);
    }
  }

  #leaf(at: string, address: number, { times }: RawColumns, place: Place): void {
    if (!isAscending(times)) this.#problem(`${at}: block ${address} is not in order of time`);
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
    for (const row of rows.iterate(stream)) {
      points += Number(row["points"]);
      this.#journalRow(`${name}: journal row ${row["seq"]}`, stream, row);
      yield;
    }
    if (points >= BUFFER_POINTS) this.#problem(`${name}: ${points} points in the journal`);
    this.report.points += BigInt(points);
  }

  #journalRow(at: string, stream: number, row: Row): void {
    const data = row["data"] as Uint8Array;
    if (checkBytes(data, Number(row["seq"]), stream) !== row["checksum"]) {
      this.#problem(`${at}: its checksum does not fit`);
      return;
    }
    const { times } = decodeBlock(data);
    if (times.length !== row["points"]) this.#problem(`${at}: it has ${times.length} points`);
  }

  /** Blocks that belong to no version, unless an obliterated stream is still being removed. */
  *#orphans(): Generator<undefined> {
    const sql = "SELECT 1 FROM version WHERE stream NOT IN (SELECT id FROM stream) LIMIT 1";
    if (this.#db.prepare(sql).get() !== undefined) return;
    for (const row of this.#db.prepare("SELECT id FROM block").iterate()) {
      if (!this.#seen.has(Number(row["id"]))) {
        this.#problem(`Block ${row["id"]} belongs to no version`);
      }
      yield;
    }
  }
}

/**
 * Checks a database file without changing it: SQLite's structures, the checksum of every block, the
 * statistics of every inner node against its children, the order and range of every leaf, the chain
 * of versions, and the journal. It may run beside a writer.
 *
 * @param path Database file.
 * @returns What was found; damage is reported, not thrown.
 * @throws {BTrDBError} If the file cannot be opened as a database of this engine.
 */
export async function verify(path: string): Promise<VerifyReport> {
  const db = openForReading(path);
  try {
    db.exec("BEGIN");
    const verifier = new Verifier(db);
    for (const _ of verifier.run()) if (isDue()) await turn();
    return verifier.report;
  } catch (error) {
    throw sqliteError(error, path);
  } finally {
    db.close();
  }
}
