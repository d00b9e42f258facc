/**
 * Giving back the room of versions nobody can read any more: those of obliterated streams, and
 * those that were pruned.
 *
 * @module
 */

import type { Database, Statement } from "../file/sqlite.ts";
import type { BlockStore } from "../tree/block_store.ts";
import { checkedRoot, type VersionRoot } from "../stream/registry.ts";
import { blocksSince } from "../tree/blocks_since.ts";

/** Removes blocks and versions, within transactions. */
export class Reclaimer {
  readonly #store: BlockStore;
  readonly #dead: Statement;
  readonly #versions: Statement;
  readonly #removeVersion: Statement;
  readonly #setPruned: Statement;
  readonly #keepAddress: Statement;

  constructor(db: Database, store: BlockStore) {
    this.#store = store;
    this.#dead = db.prepare(
      "SELECT DISTINCT stream FROM version WHERE stream NOT IN (SELECT id FROM stream)",
    );
    this.#versions = db.prepare(
      "SELECT major, root, checksum FROM version WHERE stream = ? AND major <= ? ORDER BY major",
    );
    this.#removeVersion = db.prepare("DELETE FROM version WHERE stream = ? AND major = ?");
    this.#setPruned = db.prepare("UPDATE stream SET pruned_below = ? WHERE id = ?");
    this.#keepAddress = db.prepare(
      "INSERT INTO setting (key, value) VALUES ('next_block', ?) " +
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    );
  }

  /** Numbers of obliterated streams whose blocks are still there. */
  deadStreams(): number[] {
    return this.#dead.all().map((row) => Number(row["stream"]));
  }

  /**
   * Removes the newest version of an obliterated stream: only what it shares with none before it.
   *
   * @returns True if there was one.
   */
  *sweep(stream: number): Generator<undefined, boolean> {
    const rows = this.#rows(stream, Number.MAX_SAFE_INTEGER);
    const newest = rows.pop();
    if (newest === undefined) return false;
    yield* this.#removeBlocks(newest, rows.length === 0 ? 0 : newest.major, new Set());
    this.#removeVersion.run(stream, newest.major);
    this.#rememberAddress();
    return true;
  }

  /**
   * Removes the versions below `keep`; what later versions share with them stays.
   *
   * @param keep A version that exists.
   * @returns Number of versions and blocks removed.
   */
  *prune(stream: number, keep: number): Generator<undefined, { versions: number; blocks: number }> {
    const rows = this.#rows(stream, keep);
    const kept = rows.pop()!;
    const live = new Set<number>();
    yield* this.#collect(kept.root, 0, live);
    let blocks = 0;
    for (const [i, row] of rows.entries()) {
      blocks += yield* this.#removeBlocks(row, i === 0 ? 0 : row.major, live);
      this.#removeVersion.run(stream, row.major);
    }
    this.#setPruned.run(keep, stream);
    this.#rememberAddress();
    return { versions: rows.length, blocks };
  }

  /** Versions of a stream. A damaged row, which may belong to another one, is nothing to go by. */
  #rows(stream: number, upTo: number): VersionRoot[] {
    return this.#versions.all(stream, upTo).map((row) => checkedRoot(stream, row));
  }

  *#collect(root: number, since: number, into: Set<number>): Generator<undefined> {
    for (const address of blocksSince(this.#store, root, since)) {
      if (address === undefined) yield;
      else into.add(address);
    }
  }

  /** Removes the blocks of a version that are not among the live ones. */
  *#removeBlocks(
    version: VersionRoot,
    since: number,
    live: ReadonlySet<number>,
  ): Generator<undefined, number> {
    const own = new Set<number>();
    yield* this.#collect(version.root, since, own);
    let removed = 0;
    for (const address of own) {
      if (live.has(address)) continue;
      this.#store.remove(address);
      if (++removed % 64 === 0) yield;
    }
    return removed;
  }

  /** Addresses are never used twice, also when the last blocks are gone: readers cache by address. */
  #rememberAddress(): void {
    this.#keepAddress.run(this.#store.nextAddress);
  }
}
