/**
 * The streams of an open database: what their latest version is, loaded when first asked for.
 *
 * @module
 */

import { uuidText } from "../../core/uuid.ts";
import type { Version } from "../../endpoint/endpoint.ts";
import type { Journal } from "./journal.ts";
import type { PointBuffer } from "./point_buffer.ts";
import { checkNumbers, damaged } from "../file/checksum.ts";
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
  readonly #journal: Journal;
  readonly #stream: Statement;
  readonly #uuid: Statement;
  readonly #latest: Statement;
  readonly #version: Statement;

  constructor(db: Database, journal: Journal) {
    this.#journal = journal;
    this.#stream = db.prepare("SELECT id, pruned_below FROM stream WHERE uuid = ?");
    this.#uuid = db.prepare("SELECT uuid FROM stream WHERE id = ?");
    this.#latest = db.prepare(
      "SELECT major, root, checksum FROM version WHERE stream = ? ORDER BY major DESC LIMIT 1",
    );
    this.#version = db.prepare(
      "SELECT major, root, checksum FROM version WHERE stream = ? AND major = ?",
    );
  }

  /** Forgets all streams, as a reader, and takes note of the rows that came to the journal. */
  reload(): void {
    this.#streams.clear();
    this.#journal.refresh();
  }

  /** Streams loaded so far. */
  loaded(): Iterable<StreamState> {
    return this.#streams.values();
  }

  /** The stream with a number; `undefined` if there is none. */
  withNumber(id: number): StreamState | undefined {
    const uuid = this.#uuid.get(id)?.["uuid"];
    return uuid instanceof Uint8Array ? this.get(uuid) : undefined;
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
  }

  /** Address of the root of an older version; `undefined` if there is none. */
  rootOf(state: StreamState, major: number): number | undefined {
    const row = this.#version.get(state.id, major);
    return row === undefined ? undefined : checkedRoot(state.id, row).root;
  }

  #loadHead(id: number): Head {
    const row = this.#latest.get(id);
    const buffer = this.#journal.read(id);
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
 * @throws {BTrDBError} If its checksum does not fit, or it can be no version.
 */
export function checkedRoot(stream: number, row: Row): VersionRoot {
  const major = Number(row["major"]);
  const root = Number(row["root"]);
  const isWhole = checkNumbers(stream, major, root) === row["checksum"];
  if (!isWhole || major <= FIRST_MAJOR || root < 0) {
    throw damaged(`version ${major} of stream number ${stream}`);
  }
  return { major, root };
}
