/**
 * Counting of the keys of all streams, in SQL: a row a key and page comes out, not one a stream.
 *
 * @module
 */

import type { MetadataUsage } from "../../endpoint/endpoint.ts";
import { propertyKey, type PropertyKind } from "../file/property_rows.ts";
import type { Database, Row, Statement } from "../file/sqlite.ts";
import type { PropertyIndex } from "./property_index.ts";

/** Streams of a page. */
const PAGE_STREAMS = 2048;

/** Counts of streams by key. */
export class KeyCounts {
  readonly #tags = new Map<string, bigint>();
  readonly #annotations = new Map<string, bigint>();

  /** Adds streams that have a key. */
  add(kind: PropertyKind, key: string, streams: bigint): void {
    const map = kind === "tag" ? this.#tags : this.#annotations;
    map.set(key, (map.get(key) ?? 0n) + streams);
  }

  /** The counts by the key of the index, which several names may share. */
  byIndexKey(): Map<number, number> {
    const sums = new Map<number, number>();
    const add = (kind: PropertyKind, counts: Map<string, bigint>) => {
      for (const [name, n] of counts) {
        const key = propertyKey(kind, name);
        sums.set(key, (sums.get(key) ?? 0) + Number(n));
      }
    };
    add("tag", this.#tags);
    add("annotation", this.#annotations);
    return sums;
  }

  /** The counts in the order of keys. */
  answer(): MetadataUsage {
    return { tags: sortedByKey(this.#tags), annotations: sortedByKey(this.#annotations) };
  }
}

function sortedByKey(map: Map<string, bigint>): Map<string, bigint> {
  return new Map([...map].sort(([a], [b]) => a < b ? -1 : 1));
}

/** Counts the keys of all streams. */
export class KeyUsage {
  readonly #properties: PropertyIndex;
  readonly #last: Statement;
  readonly #page: Statement;

  constructor(db: Database, properties: PropertyIndex) {
    this.#properties = properties;
    this.#last = db.prepare(
      `SELECT max(id) AS id FROM (SELECT id FROM stream WHERE id > ? ORDER BY id LIMIT ${PAGE_STREAMS})`,
    );
    const counts = (kind: PropertyKind, column: string) =>
      `SELECT '${kind}' AS kind, each.key AS key, count(*) AS streams
      FROM stream CROSS JOIN json_each(stream.${column}) AS each
      WHERE stream.id > ?1 AND stream.id <= ?2 GROUP BY each.key`;
    this.#page = db.prepare(
      `${counts("tag", "tags")} UNION ALL ${counts("annotation", "annotations")}`,
    );
  }

  /**
   * The counts, without a look at the checksums of streams: they have to be those of the index, which
   * are other rows. Yields where it may pause.
   *
   * @returns `undefined` if they are not, because of damage, a change meanwhile or names that SQL does
   *   not tell apart: then streams have to be looked at one by one.
   */
  *all(): Generator<undefined, MetadataUsage | undefined> {
    const counts = new KeyCounts();
    for (let after = 0;;) {
      const last = this.#last.get(after)?.["id"] ?? null;
      if (last === null) break;
      const rows = this.#countPage(after, Number(last));
      if (rows === undefined) return undefined;
      for (const { kind, key, streams } of rows) {
        counts.add(kind as PropertyKind, key as string, BigInt(streams as number));
      }
      after = Number(last);
      yield;
    }
    return (yield* this.#isOfIndex(counts.byIndexKey())) ? counts.answer() : undefined;
  }

  #countPage(after: number, last: number): Row[] | undefined {
    try {
      return this.#page.all(after, last);
    } catch {
      // Text that is no JSON any more: whoever looks at the streams one by one finds out which.
      return undefined;
    }
  }

  /** Tells whether the index has as many rows of each key, and no other keys. */
  *#isOfIndex(counts: ReadonlyMap<number, number>): Generator<undefined, boolean> {
    let keys = 0;
    for (const key of this.#properties.keys()) {
      const streams = counts.get(key);
      if (streams === undefined) return false;
      const counter = this.#properties.counter({ key, value: undefined });
      if (!(yield* counter.reaches(streams)) || (yield* counter.reaches(streams + 1))) return false;
      keys++;
    }
    return keys === counts.size;
  }
}
