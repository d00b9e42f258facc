/**
 * Checking the trees of a database file: every node against its children, every version against the
 * one before, and the late points beside the trees.
 *
 * @module
 */

import { BTrDBError } from "../../core/errors.ts";
import { FANOUT } from "../constants.ts";
import type { Database, Row, Statement } from "../file/sqlite.ts";
import { LATE_LIST } from "../tree/block_frame.ts";
import { BlockStore } from "../tree/block_store.ts";
import { childProblem, isSameStats, rootProblem } from "../tree/check_node.ts";
import { decodeLateList, decodeLateRun, type LateList, type LateRun } from "../tree/late_codec.ts";
import { areInLeaves } from "../tree/late_plan.ts";
import { LateStore } from "../tree/late_store.ts";
import { ABSENT, InnerNode, type Node, type Stats } from "../tree/node.ts";
import { decodeNode } from "../tree/node_codec.ts";
import { reduceValues } from "../tree/stats.ts";
import type { Findings } from "./findings.ts";
import { isVersionRowWhole } from "./tables.ts";

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

/** One pass over the trees of all streams. */
export class TreeVerifier {
  readonly #db: Database;
  readonly #findings: Findings;
  readonly #block: Statement;
  /** The nodes seen, by address; nothing of those that are damaged. */
  readonly #seen = new Map<number, Seen | undefined>();
  /** True if the version under way is being removed: some of its blocks are gone already. */
  #mayLackBlocks = false;

  constructor(db: Database, findings: Findings) {
    this.#db = db;
    this.#findings = findings;
    this.#block = db.prepare("SELECT data FROM block WHERE id = ?");
  }

  /** Tells whether a version that was checked has a block. */
  hasSeen(address: number): boolean {
    return this.#seen.has(address);
  }

  /** Rows of the versions of a stream. */
  versionRows(stream: number): Row[] {
    return this.#db.prepare(
      "SELECT major, root, checksum FROM version WHERE stream = ? ORDER BY major",
    ).all(stream);
  }

  /** The version below which a stream's versions are being removed; 0 if none are. */
  removedBelow(stream: number): number {
    const row = this.#db.prepare("SELECT below FROM reclaim WHERE stream = ?").get(stream);
    return Number(row?.["below"] ?? 0);
  }

  /**
   * Checks the versions of a stream.
   *
   * @param first The oldest version that must be there; absent if any may be.
   * @returns Number of points of the latest one.
   */
  *versions(
    name: string,
    stream: number,
    first?: number,
  ): Generator<undefined, Counted | undefined> {
    let expected = first;
    let since = 0;
    let stats: Counted | undefined;
    let latest = 0;
    const removedBelow = this.removedBelow(stream);
    for (const version of this.versionRows(stream)) {
      const major = Number(version["major"]);
      const at = `${name}, version ${major}`;
      if (major !== (expected ?? major)) this.#findings.add(`${at}: expected version ${expected}`);
      if (!isVersionRowWhole(stream, version)) {
        this.#findings.add(`${at}: its checksum does not fit`);
      }
      expected = major + 1;
      this.#findings.report.versions++;
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
    this.#findings.report.blocks++;
    if (this.#seen.has(address)) {
      this.#findings.add(`${at}: block ${address} is the list of another version`);
      return undefined;
    }
    this.#seen.set(address, undefined);
    let list: LateList;
    try {
      list = decodeLateList(address, block);
    } catch (error) {
      this.#findings.add(`${at}: ${(error as Error).message}`);
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
        this.#findings.add(`${at}: block ${address} hangs in the trees twice`);
      } else if (seen.stats.count !== count) {
        this.#findings.add(
          `${at}: block ${address} has ${seen.stats.count} points, expected ${count}`,
        );
      }
      return;
    }
    const block = this.#block.get(address)?.["data"] as Uint8Array | undefined;
    if (block === undefined) {
      if (!this.#mayLackBlocks) this.#findings.add(`${at}: block ${address} is missing`);
      return;
    }
    this.#findings.report.blocks++;
    this.#seen.set(address, undefined);
    try {
      const { majors, values } = decodeLateRun(run, block);
      const latest = majors.reduce((a, b) => Math.max(a, b));
      if (latest > major) this.#findings.add(`${at}: block ${address} is from a later version`);
      const stats = reduceValues(values, 0, values.length);
      this.#seen.set(address, { stats, stream, place: LATE_PLACE, generation: undefined });
    } catch (error) {
      this.#findings.add(`${at}: ${(error as Error).message}`);
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
        this.#findings.add(`${at}: late points belong to no leaf`);
      }
      return late.times.length;
    } catch (error) {
      if (!(error instanceof BTrDBError)) throw error;
      this.#findings.add(`${at}: ${error.message}`);
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
        this.#findings.add(`${at}: block ${address} hangs in the trees twice`);
      } else if (generation !== (seen.generation ?? generation)) {
        this.#findings.add(`${at}: block ${address} is from another version than its parent says`);
      }
      return seen.stats;
    }
    const node = this.#read(at, address);
    if (node === undefined) {
      if (!this.#mayLackBlocks) this.#seen.set(address, undefined);
      return undefined;
    }
    const problem = parent === undefined ? rootProblem(node) : childProblem(parent, b, node);
    if (problem !== undefined) this.#findings.add(`${at}: block ${address} ${problem}`);
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
        this.#findings.add(`${at}: block ${address} is from a later version`);
      }
      if (node.kinds[b] === ABSENT) continue;
      const stats = yield* this.#node(visit, node.addresses[b]!, node, b);
      if (stats === undefined || isSameStats(bucketStats(node, b), stats)) continue;
      this.#findings.add(
        `${at}: the statistics of bucket ${b} of block ${address} are not its child's`,
      );
    }
  }

  #read(at: string, address: number): Node | undefined {
    const block = this.#block.get(address)?.["data"] as Uint8Array | undefined;
    if (block === undefined) {
      if (this.#mayLackBlocks) return undefined;
      this.#findings.add(`${at}: block ${address} is missing`);
      return undefined;
    }
    this.#findings.report.blocks++;
    try {
      return decodeNode(address, block);
    } catch (error) {
      this.#findings.add(`${at}: ${(error as Error).message}`);
      return undefined;
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
