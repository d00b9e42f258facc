/**
 * The result of `Stream.rawValues`.
 *
 * @module
 */

import type { RawPoint } from "../core/columns.ts";
import { joinRaw, RawBatch } from "./batch.ts";
import { flatten, gather, mapEach, SingleUse } from "./iterators.ts";
import type { RawChunk } from "../endpoint/endpoint.ts";

/**
 * Raw points, read in batches of columns, once. Nothing is sent before the first read. Leaving the
 * loop, an abort or a timeout stops the query on the server.
 *
 * @example Three ways to read
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const stream = await db.create(crypto.randomUUID(), "demo");
 * await stream.insert([[1n, 1.5], [2n, 2.5]]);
 *
 * const { times, values } = await stream.rawValues(0n, 10n).collect();
 * assertEquals(times, new BigInt64Array([1n, 2n]));
 * assertEquals(values, new Float64Array([1.5, 2.5]));
 *
 * for await (const batch of stream.rawValues(0n, 10n)) assertEquals(batch.length, 2);
 *
 * for await (const { time, value } of stream.rawValues(0n, 10n).points()) {
 *   assertEquals(value, Number(time) + 0.5);
 * }
 * ```
 */
export class RawQuery implements AsyncIterable<RawBatch> {
  readonly #answer: SingleUse<RawBatch>;
  #chunk: number | undefined;

  /** @ignore Made by streams. */
  constructor(
    action: string,
    open: (chunk: number | undefined) => AsyncIterableIterator<RawChunk>,
  ) {
    this.#answer = new SingleUse(
      action,
      () => mapEach(open(this.#chunk), (chunk) => new RawBatch(chunk.columns, chunk.version)),
    );
  }

  /**
   * The batches, at least one (which may be empty), all of the same version.
   *
   * @throws {TypeError} If the query was read before.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<RawBatch> {
    return this.#answer.take();
  }

  /**
   * Everything as one batch.
   *
   * @throws {TypeError} If the query was read before.
   *
   * @example Times and values
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[1n, 0.5]]);
   * assertEquals((await stream.rawValues(0n, 9n).collect()).times, new BigInt64Array([1n]));
   * ```
   */
  async collect(): Promise<RawBatch> {
    this.#chunk = Infinity;
    return joinRaw(await gather(this.#answer.take()));
  }

  /**
   * The points one by one; convenient, and slower than batches.
   *
   * @throws {TypeError} If the query was read before.
   *
   * @example One by one
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[1n, 0.5]]);
   * for await (const { value } of stream.rawValues(0n, 9n).points()) assertEquals(value, 0.5);
   * ```
   */
  points(): AsyncIterableIterator<RawPoint> {
    return flatten(this.#answer.take());
  }
}
