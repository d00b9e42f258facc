/**
 * The streams of an open database: what their latest version is, loaded when first asked for.
 *
 * @module
 */

import { uuidKey, uuidText } from "../../core/uuid.ts";
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
  /** The uuid, as {@linkcode uuidKey} makes it of its bytes: it takes less memory than they do. */
  readonly key: string;
  /** The version that readers see. */
  head: Head;
  /** Explicit versions below this one were pruned. */
  prunedBelow: number;

  constructor(id: number, key: string, head: Head, prunedBelow: number) {
    this.id = id;
    this.key = key;
    this.head = head;
    this.prunedBelow = prunedBelow;
  }

  /** The uuid, 16 bytes. */
  get uuid(): Uint8Array {
    return Uint8Array.from(this.key, (character) => character.charCodeAt(0));
  }

  /** Canonical text form of the uuid. */
  get text(): string {
    return uuidText(this.uuid);
  }
}

/** Most journal rows of a stream that is forgotten. */
const FORGOTTEN_ROWS = 16;

/**
 * Loads streams and keeps those that were requested lately. Forgotten ones are read from the database again.
 */
export class StreamRegistry {
  /** Points in the buffers of the streams in memory. */
  bufferedPoints = 0;
  /** Streams in memory that have points in their buffer. */
  bufferedStreams = 0;
  #recent = new Map<string, StreamState>();
  /** Streams that were asked for before the recent ones. */
  #older = new Map<string, StreamState>();
  /** True when the older states are to be forgotten as soon as it may be. */
  #isDue = false;
  readonly #journal: Journal;
  readonly #most: number;
  readonly #mayForget: () => boolean;
  readonly #stream: Statement;
  readonly #uuid: Statement;
  readonly #latest: Statement;
  readonly #version: Statement;

  /**
   * @param most Streams after which those that were not asked for since are forgotten.
   * @param mayForget Tells whether nobody holds on to a state.
   */
  constructor(db: Database, journal: Journal, most: number, mayForget: () => boolean) {
    this.#most = most;
    this.#journal = journal;
    this.#mayForget = mayForget;
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
    this.#recent.clear();
    this.#older.clear();
    this.bufferedPoints = this.bufferedStreams = 0;
    this.#journal.refresh();
  }

  /** Streams in memory. */
  *loaded(): Generator<StreamState> {
    yield* this.#recent.values();
    yield* this.#older.values();
  }

  /** Takes note that some time has passed: who is not asked for until the next time is forgotten. */
  age(): void {
    this.#isDue = true;
    if (this.#mayForget()) this.forgetIdle();
  }

  /**
   * Forgets the streams that nobody has asked for lately, if it is time. Nobody may hold a state.
   * Those with long buffers stay: they would have to be read again with the next insert.
   *
   * @returns Those that stay and had better be committed, because there are too many streams.
   */
  forgetIdle(): Uint8Array[] {
    const areMany = this.#recent.size >= this.#most;
    if (!this.#isDue && !areMany) return [];
    this.#isDue = false;
    const kept: StreamState[] = [];
    for (const state of this.#older.values()) {
      if (state.head.buffer.rowCount > FORGOTTEN_ROWS) kept.push(state);
      else this.#count(state.head, -1);
    }
    this.#older = this.#recent;
    this.#recent = new Map(kept.map((state) => [state.key, state]));
    return areMany ? kept.map(({ uuid }) => uuid) : [];
  }

  #count({ buffer }: Head, sign: 1 | -1): void {
    if (buffer.length === 0) return;
    this.bufferedPoints += sign * buffer.length;
    this.bufferedStreams += sign;
  }

  /** Bytes of the uuid of a stream; `undefined` if there is no such number. */
  uuidOf(id: number): Uint8Array | undefined {
    const uuid = this.#uuid.get(id)?.["uuid"];
    return uuid instanceof Uint8Array ? uuid : undefined;
  }

  /** The stream with a key if it is in memory. */
  known(key: string): StreamState | undefined {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const older = this.#older.get(key);
    if (older === undefined) return undefined;
    this.#older.delete(key);
    this.#recent.set(key, older);
    return older;
  }

  /** The stream with a uuid; `undefined` if there is none. */
  get(uuid: Uint8Array): StreamState | undefined {
    const key = uuidKey(uuid);
    const known = this.known(key);
    if (known !== undefined) return known;
    const row = this.#stream.get(uuid);
    if (row === undefined) return undefined;
    if (this.#recent.size >= this.#most && this.#mayForget()) this.forgetIdle();
    const id = Number(row["id"]);
    const state = new StreamState(id, key, this.#loadHead(id), Number(row["pruned_below"]));
    this.#recent.set(key, state);
    this.#count(state.head, 1);
    return state;
  }

  /** Tells whether a version that was there is there still: it can be pruned, its stream obliterated. */
  hasStill(id: number, uuid: Uint8Array, major: number): boolean {
    const row = this.#stream.get(uuid);
    return row !== undefined && Number(row["id"]) === id && major >= Number(row["pruned_below"]);
  }

  /** The latest version of a stream, which does not count as asked for, and is not remembered. */
  peek(id: number, uuid: Uint8Array): Head {
    const key = uuidKey(uuid);
    return (this.#recent.get(key) ?? this.#older.get(key))?.head ?? this.#loadHead(id);
  }

  /** Makes a head the latest version of a stream. */
  replaceHead(state: StreamState, head: Head): void {
    this.#count(state.head, -1);
    state.head = head;
    this.#count(head, 1);
  }

  /** Forgets a stream that is gone. */
  delete(state: StreamState): void {
    this.#count(state.head, -1);
    this.#recent.delete(state.key);
    this.#older.delete(state.key);
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
