/**
 * Encodes late points and the lists of them as blocks of bytes, and decodes them (docs/engine.md,
 * "Blocks").
 *
 * @module
 */

import { LAST_TIME, MIN_TIME } from "../../core/range.ts";
import { decodeSortedBlock } from "../../kernel/decode_block.ts";
import { encodeBlock } from "../../kernel/encode_block.ts";
import { FIRST_MAJOR } from "../constants.ts";
import { damaged } from "../file/checksum.ts";
import type { LatePoints, TimeRange } from "./late_points.ts";
import { BLOCK_HEADER_BYTES, checkedKind, LATE_LIST, LATE_RUN, seal } from "./block_frame.ts";

/** Most points of all runs of a list together. */
export const MAX_LATE_POINTS = 1_048_576;

/** Most runs of a list, and most cuts. */
const MAX_ENTRIES = 256;

/** A block of late points. */
export interface LateRun {
  readonly address: number;
  /** Its points, with those that were cut out. */
  readonly count: number;
}

/** A range of which older runs have no points any more: they are in the tree, or deleted. */
export interface LateCut extends TimeRange {
  /** Runs with addresses below this one are meant. */
  readonly before: number;
}

/** A version: its tree, and what is beside it. */
export interface LateList {
  /** Address of the root of the tree. */
  readonly root: number;
  /** Time up to which points were moved to the tree last. */
  readonly cursor: bigint;
  /** Points that are beside the tree: those of all runs but for what was cut out. */
  readonly count: number;
  /** Ascending by address, which is the order of arrival. */
  readonly runs: readonly LateRun[];
  readonly cuts: readonly LateCut[];
}

const LIST_HEADER = BLOCK_HEADER_BYTES + 8 + 8 + 4 + 2 + 2;
const RUN_BYTES = 12;
const CUT_BYTES = 24;

/** The block of a list. */
export function encodeLateList(address: number, list: LateList): Uint8Array {
  const { root, cursor, count, runs, cuts } = list;
  const block = new Uint8Array(LIST_HEADER + runs.length * RUN_BYTES + cuts.length * CUT_BYTES);
  const view = new DataView(block.buffer);
  let at = BLOCK_HEADER_BYTES;
  view.setFloat64(at, root, true);
  view.setBigInt64(at + 8, cursor, true);
  view.setUint32(at + 16, count, true);
  view.setUint16(at + 20, runs.length, true);
  view.setUint16(at + 22, cuts.length, true);
  at = LIST_HEADER;
  for (const run of runs) {
    view.setFloat64(at, run.address, true);
    view.setUint32(at + 8, run.count, true);
    at += RUN_BYTES;
  }
  for (const { start, end, before } of cuts) {
    view.setBigInt64(at, start, true);
    view.setBigInt64(at + 8, end, true);
    view.setFloat64(at + 16, before, true);
    at += CUT_BYTES;
  }
  return seal(block, LATE_LIST, address);
}

/**
 * The list in a block.
 *
 * @throws {BTrDBError} `CORRUPT` if it is damaged, or can be no list.
 */
export function decodeLateList(address: number, block: Uint8Array): LateList {
  if (checkedKind(address, block) !== LATE_LIST) throw damaged(`block ${address} is not a list`);
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const isLong = block.length >= LIST_HEADER;
  const nRuns = isLong ? view.getUint16(BLOCK_HEADER_BYTES + 20, true) : 0;
  const nCuts = isLong ? view.getUint16(BLOCK_HEADER_BYTES + 22, true) : 0;
  const size = LIST_HEADER + nRuns * RUN_BYTES + nCuts * CUT_BYTES;
  if (block.length !== size || nRuns > MAX_ENTRIES || nCuts > MAX_ENTRIES) {
    throw damaged(`block ${address}: a list of ${nRuns} and ${nCuts} in ${block.length} bytes`);
  }
  const root = view.getFloat64(BLOCK_HEADER_BYTES, true);
  const cursor = view.getBigInt64(BLOCK_HEADER_BYTES + 8, true);
  const count = view.getUint32(BLOCK_HEADER_BYTES + 16, true);
  const runs: LateRun[] = [], cuts: LateCut[] = [];
  let at = LIST_HEADER;
  for (let i = 0; i < nRuns; i++, at += RUN_BYTES) {
    runs.push({ address: view.getFloat64(at, true), count: view.getUint32(at + 8, true) });
  }
  for (let i = 0; i < nCuts; i++, at += CUT_BYTES) {
    cuts.push({
      start: view.getBigInt64(at, true),
      end: view.getBigInt64(at + 8, true),
      before: view.getFloat64(at + 16, true),
    });
  }
  const list = { root, cursor, count, runs, cuts };
  const problem = listProblem(address, list);
  if (problem !== undefined) throw damaged(`block ${address} ${problem}`);
  return list;
}

function isAddress(value: number, below: number): boolean {
  return value >= 1 && value < below && Number.isSafeInteger(value);
}

/** Finds what no list of this engine has; `undefined` if nothing is wrong. */
function listProblem(address: number, { root, runs, cuts }: LateList): string | undefined {
  if (!isAddress(root, address)) return `has a root at ${root}`;
  if (runs.length === 0) return "has no runs";
  let last = 0, points = 0;
  for (const run of runs) {
    if (!isAddress(run.address, address) || run.address <= last || run.address === root) {
      return `has a run at ${run.address} after one at ${last}`;
    }
    if (run.count === 0) return `has a run without points at ${run.address}`;
    last = run.address;
    points += run.count;
  }
  if (points > MAX_LATE_POINTS) return `has ${points} late points`;
  for (const { start, end, before } of cuts) {
    if (!(start < end) || !isAddress(before, address + 1)) {
      return `has a cut from ${start} to ${end}, before ${before}`;
    }
  }
  return undefined;
}

const MAJORS_HEADER = 1 + 8 + 4;

/** The block of a run. Not empty. */
export function encodeLateRun(address: number, points: LatePoints): Uint8Array {
  const { majors } = points;
  const n = majors.length;
  let base = majors[0]!, last = base;
  for (let i = 1; i < n; i++) {
    const major = majors[i]!;
    if (major < base) base = major;
    if (major > last) last = major;
  }
  const span = last - base;
  const width = span === 0 ? 0 : span < 2 ** 8 ? 1 : span < 2 ** 16 ? 2 : 4;
  const head = BLOCK_HEADER_BYTES + MAJORS_HEADER;
  const block = encodeBlock(points, 0, n, head + n * width);
  const view = new DataView(block.buffer);
  view.setUint8(BLOCK_HEADER_BYTES, width);
  view.setFloat64(BLOCK_HEADER_BYTES + 1, base, true);
  view.setUint32(BLOCK_HEADER_BYTES + 9, n, true);
  for (let i = 0; i < n && width > 0; i++) {
    const offset = majors[i]! - base;
    if (width === 1) block[head + i] = offset;
    else if (width === 2) view.setUint16(head + 2 * i, offset, true);
    else view.setUint32(head + 4 * i, offset, true);
  }
  return seal(block, LATE_RUN, address);
}

/**
 * The points of a run.
 *
 * @throws {BTrDBError} `CORRUPT` if it is damaged, or has not `count` points.
 */
export function decodeLateRun({ address, count }: LateRun, block: Uint8Array): LatePoints {
  if (checkedKind(address, block) !== LATE_RUN) {
    throw damaged(`block ${address} has no late points`);
  }
  const head = BLOCK_HEADER_BYTES + MAJORS_HEADER;
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const width = block.length > head ? view.getUint8(BLOCK_HEADER_BYTES) : 3;
  const n = width === 3 ? 0 : view.getUint32(BLOCK_HEADER_BYTES + 9, true);
  const isKnown = width === 0 || width === 1 || width === 2 || width === 4;
  const start = head + n * width;
  // The number of points is known before memory is reserved for them.
  const isSame = isKnown && n === count && block.length >= start + 4 &&
    view.getUint32(start, true) === n;
  if (!isSame) {
    throw damaged(`block ${address}: ${n} late points in ${block.length} bytes, expected ${count}`);
  }
  const base = view.getFloat64(BLOCK_HEADER_BYTES + 1, true);
  if (!(base > FIRST_MAJOR && Number.isSafeInteger(base + 2 ** 32))) {
    throw damaged(`block ${address}: late points of version ${base}`);
  }
  const majors = new Float64Array(n).fill(base);
  for (let i = 0; i < n && width > 0; i++) {
    majors[i]! += width === 1
      ? block[head + i]!
      : width === 2
      ? view.getUint16(head + 2 * i, true)
      : view.getUint32(head + 4 * i, true);
  }
  let points: LatePoints;
  try {
    points = { ...decodeSortedBlock(block, start), majors };
  } catch (error) {
    throw damaged(`block ${address}: ${(error as Error).message}`);
  }
  const { times } = points;
  if (times[0]! < MIN_TIME || times[n - 1]! > LAST_TIME) {
    throw damaged(`block ${address}: its late points are not what it says`);
  }
  return points;
}
