/**
 * The same work done by a plain SQLite table and by DuckDB: rows of stream, time and value, with an
 * index where a query needs one, durable when a write returns.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import type { RawColumns } from "../../src/core/columns.ts";
import { peer } from "./peers.ts";

/** DuckDB's module; `undefined` where it is not installed. */
// deno-lint-ignore no-explicit-any -- a module without types here
export const DUCKDB: any = peer("@duckdb/node-api");

/** Rows of a DuckDB data chunk. */
const VECTOR = 2048;

/** A table in SQLite. */
export class PlainSqlite {
  readonly #db: DatabaseSync;
  readonly #insert;

  /** @param path Database file, new. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path);
    this.#db.exec("PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    this.#db.exec("PRAGMA cache_size = -262144");
    this.#db.exec(
      "CREATE TABLE point (stream INTEGER, time INTEGER, value REAL, " +
        "PRIMARY KEY (stream, time)) WITHOUT ROWID",
    );
    this.#insert = this.#db.prepare("INSERT OR REPLACE INTO point VALUES (?, ?, ?)");
  }

  /** Inserts batches, one per stream, in one transaction. */
  insert(batches: readonly RawColumns[], first = 0): void {
    this.#db.exec("BEGIN");
    batches.forEach(({ times, values }, stream) => {
      for (let i = 0; i < times.length; i++) {
        this.#insert.run(first + stream, times[i]!, values[i]!);
      }
    });
    this.#db.exec("COMMIT");
  }

  /** Reads a stream into columns. */
  read(n: number): RawColumns {
    const columns = { times: new BigInt64Array(n), values: new Float64Array(n) };
    const statement = this.#db.prepare(
      "SELECT time, value FROM point WHERE stream = 0 ORDER BY time",
    );
    statement.setReadBigInts(true);
    let i = 0;
    for (const row of statement.iterate()) {
      columns.times[i] = row["time"] as bigint;
      columns.values[i++] = row["value"] as number;
    }
    return columns;
  }

  /** Windows of 2^pointwidth ns of a stream. */
  windows(start: bigint, end: bigint, pointwidth: number): unknown[] {
    return this.#db.prepare(
      "SELECT time >> ? AS w, min(value), avg(value), max(value), count(*) FROM point " +
        "WHERE stream = 0 AND time >= ? AND time < ? GROUP BY w",
    ).all(pointwidth, start, end);
  }

  /** The last point before a time. */
  nearest(time: bigint): unknown {
    const statement = this.#db.prepare(
      "SELECT time, value FROM point WHERE stream = 0 AND time < ? ORDER BY time DESC LIMIT 1",
    );
    statement.setReadBigInts(true);
    return statement.get(time);
  }

  /** Closes the database. */
  close(): void {
    this.#db.close();
  }
}

/** A table in DuckDB. */
export class PlainDuckDb {
  // deno-lint-ignore no-explicit-any -- a module without types here
  readonly #connection: any;
  // deno-lint-ignore no-explicit-any -- as above
  readonly #instance: any;

  // deno-lint-ignore no-explicit-any -- as above
  private constructor(instance: any, connection: any) {
    this.#instance = instance;
    this.#connection = connection;
  }

  /** Makes a database file. */
  static async open(path: string): Promise<PlainDuckDb> {
    const instance = await DUCKDB.DuckDBInstance.create(path, { threads: "1" });
    const connection = await instance.connect();
    await connection.run("CREATE TABLE point (stream INTEGER, time BIGINT, value DOUBLE)");
    return new PlainDuckDb(instance, connection);
  }

  /** Appends batches, one per stream. */
  async insert(batches: readonly RawColumns[]): Promise<void> {
    const { INTEGER, BIGINT, DOUBLE, DuckDBDataChunk } = DUCKDB;
    const appender = await this.#connection.createAppender("point");
    batches.forEach(({ times, values }, stream) => {
      for (let at = 0; at < times.length; at += VECTOR) {
        const to = Math.min(times.length, at + VECTOR);
        const chunk = DuckDBDataChunk.create([INTEGER, BIGINT, DOUBLE], to - at);
        const streams = new Array(to - at).fill(stream);
        chunk.setColumns([streams, [...times.subarray(at, to)], [...values.subarray(at, to)]]);
        appender.appendDataChunk(chunk);
      }
    });
    appender.closeSync();
    await this.#connection.run("CHECKPOINT");
  }

  /** Reads a stream into columns. */
  async read(n: number): Promise<RawColumns> {
    const columns = { times: new BigInt64Array(n), values: new Float64Array(n) };
    const sql = "SELECT time, value FROM point WHERE stream = 0 ORDER BY time";
    const result = await this.#connection.stream(sql);
    let at = 0;
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return columns;
      columns.times.set(chunk.getColumnVector(0).items, at);
      columns.values.set(chunk.getColumnVector(1).items, at);
      at += chunk.rowCount;
    }
  }

  /** Windows of 2^pointwidth ns of a stream. */
  async windows(start: bigint, end: bigint, pointwidth: number): Promise<unknown> {
    const result = await this.#connection.run(
      `SELECT time >> ${pointwidth} AS w, min(value), avg(value), max(value), count(*), ` +
        `FROM point WHERE stream = 0 AND time >= ${start} AND time < ${end} GROUP BY w ORDER BY w`,
    );
    return await result.getRows();
  }

  /** The last point before a time. */
  async nearest(time: bigint): Promise<unknown> {
    const result = await this.#connection.run(
      `SELECT time, value FROM point WHERE stream = 0 AND time < ${time} ` +
        "ORDER BY time DESC LIMIT 1",
    );
    return await result.getRows();
  }

  /** Closes the database. */
  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}
