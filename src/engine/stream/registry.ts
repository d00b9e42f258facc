/**
 * The streams of an open database: what their latest version is, loaded when first asked for.
 *
 * @module
 */

import { uuidText } from "../../core/uuid.ts";
import type { Version } from "../../endpoint/endpoint.ts";
import { decodeBlock } from "../../kernel/block.ts";
import { PointBuffer } from "./point_buffer.ts";
import { checkBytes, checkNumbers, damaged } from "../file/checksum.ts";
import { FIRST_MAJOR } from "../constants.ts";
import type { Database, Row, Statement } from "../file/sqlite.ts";

/** The latest version of a stream; never changed, only replaced. */
export interface Head {
  /** Commits so far, counted from 10. */
  readonly major: number;
  /** Address of the root, 0 for an empty tree. */
  readonly root: number;
  /** Points since. */
  readonly buffer: PointBuffer;
}

/** The version a head stands for. */
export function versionOf(head: Head): Version {
  return { major: BigInt(head.major), minor: BigInt(head.buffer.length) };
}

/** A stream that exists. */
export class StreamState {
  /** Number of the stream in this database. */
  readonly id: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  /** The version that readers see. */
  head: Head;
  /** Explicit versions below this one were pruned. */
  prunedBelow: number;
  /** Set when the stream is obliterated. */
  gone = false;

  constructor(id: number, uuid: Uint8Array, head: Head, prunedBelow: number) {
    this.id = id;
    this.uuid = uuid;
    this.head = head;
    this.prunedBelow = prunedBelow;
  }

  /** Canonical text form of the uuid. */
  get text(): string {
    return uuidText(this.uuid);
  }
}

/** A uuid as a key of a map. */
export function keyOf(uuid: Uint8Array): string {
  return String.fromCharCode(...uuid);
}

/** Loads streams and keeps them. */
export class StreamRegistry {
  readonly #streams = new Map<string, StreamState>();
  readonly #journal = new Map<number, number[]>();
  readonly #stream: Statement;
  readonly #latest: Statement;
  readonly #version: Statement;
  readonly #journalRows: Statement;
  readonly #journalRow: Statement;
  readonly #oldJournal: Statement;
  #journalLoaded = false;

  constructor(db: Database) {
    this.#stream = db.prepare("SELECT id, pruned_below FROM stream WHERE uuid = ?");
    this.#latest = db.prepare(
      "SELECT major, root, checksum FROM version WHERE stream = ? ORDER BY major DESC LIMIT 1",
    );
    this.#version = db.prepare(
      "SELECT major, root, checksum FROM version WHERE stream = ? AND major = ?",
    );
    this.#journalRows = db.prepare("SELECT seq, stream FROM journal ORDER BY seq");
    this.#journalRow = db.prepare(
      "SELECT data, at_ms, checksum FROM journal WHERE seq = ?",
    );
    this.#oldJournal = db.prepare(
      "SELECT uuid FROM stream WHERE id IN (SELECT stream FROM journal WHERE at_ms <= ?)",
    );
    this.reload();
  }

  /** Forgets all streams and reads the journal's index anew. */
  reload(): void {
    this.#streams.clear();
    this.#journal.clear();
    for (const row of this.#journalRows.all()) {
      const stream = Number(row["stream"]);
      const rows = this.#journal.get(stream);
      if (rows === undefined) this.#journal.set(stream, [Number(row["seq"])]);
      else rows.push(Number(row["seq"]));
    }
  }

  /** Streams loaded so far. */
  loaded(): Iterable<StreamState> {
    return this.#streams.values();
  }

  /** Loads the streams that had points in the journal from before a time when they were opened. */
  loadJournalled(beforeMs: number): void {
    if (this.#journalLoaded) return;
    const uuids = this.#oldJournal.all(beforeMs).map((row) => row["uuid"] as Uint8Array);
    for (const uuid of uuids) this.get(uuid);
    // What is inserted from now on belongs to streams that are loaded.
    this.#journalLoaded = uuids.length === this.#journal.size;
  }

  /** The stream with a uuid; `undefined` if there is none. */
  get(uuid: Uint8Array): StreamState | undefined {
    const key = keyOf(uuid);
    const known = this.#streams.get(key);
    if (known !== undefined) return known;
    const row = this.#stream.get(uuid);
    if (row === undefined) return undefined;
    const id = Number(row["id"]);
    const state = new StreamState(
      id,
      uuid.slice(),
      this.#loadHead(id),
      Number(row["pruned_below"]),
    );
    this.#streams.set(key, state);
    return state;
  }

  /** Forgets a stream. */
  delete(state: StreamState): void {
    state.gone = true;
    this.#streams.delete(keyOf(state.uuid));
    this.#journal.delete(state.id);
  }

  /** Address of the root of an older version; `undefined` if there is none. */
  rootOf(state: StreamState, major: number): number | undefined {
    const row = this.#version.get(state.id, major);
    return row === undefined ? undefined : checkedRoot(state.id, row).root;
  }

  #loadHead(id: number): Head {
    const row = this.#latest.get(id);
    let buffer = PointBuffer.EMPTY;
    for (const seq of this.#journal.get(id) ?? []) {
      const entry = this.#journalRow.get(seq);
      if (entry === undefined) throw damaged(`journal row ${seq} is missing`);
      const data = entry["data"];
      if (!(data instanceof Uint8Array) || checkBytes(data, seq, id) !== entry["checksum"]) {
        throw damaged(`journal row ${seq}`);
      }
      buffer = buffer.append(decodeBlock(data), seq, Number(entry["at_ms"]));
    }
    if (row === undefined) return { major: FIRST_MAJOR, root: 0, buffer };
    return { ...checkedRoot(id, row), buffer };
  }
}

/** A version and its root. */
export interface VersionRoot {
  readonly major: number;
  readonly root: number;
}

/**
 * A version's number and root.
 *
 * @throws {BTrDBError} If its checksum does not fit.
 */
export function checkedRoot(stream: number, row: Row): VersionRoot {
  const major = Number(row["major"]);
  const root = Number(row["root"]);
  if (checkNumbers(stream, major, root) !== row["checksum"]) {
    throw damaged(`version ${major} of stream number ${stream}`);
  }
  return { major, root };
}
