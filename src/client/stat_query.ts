/**
 * The result of `Stream.alignedWindows` and `Stream.windows`.
 *
 * @module
 */

import type { CallOptions } from "../core/call.ts";
import { cancellable } from "../core/cancellable.ts";
import { type RequestOptions, startCall } from "../core/request_options.ts";
import type { StatPoint } from "../core/columns.ts";
import type { StatChunk } from "../endpoint/endpoint.ts";
import { joinStat, StatBatch } from "./batch.ts";
import { flatten, gather, mapEach, SingleUse } from "./iterators.ts";

/**
 * Windows, read in batches of columns, once. Nothing is sent before the first read. Leaving the
 * loop, an abort or a timeout stops the query on the server.
 *
 * @example Windows of a second
 * ```ts
 * import { connect, SECOND } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const stream = await db.create(crypto.randomUUID(), "demo");
 * await stream.insert([[0n, 1], [SECOND / 2n, 3], [SECOND, 7]]);
 *
 * const windows = await stream.windows(0n, 2n * SECOND, SECOND).collect();
 * assertEquals(windows.mean, new Float64Array([2, 7]));
 * assertEquals(windows.count, new BigUint64Array([2n, 1n]));
 * ```
 */
export class StatQuery implements AsyncIterable<StatBatch> {
  readonly #answer: SingleUse<StatBatch>;

  /** @ignore Made by streams. */
  constructor(
    action: string,
    options: RequestOptions,
    open: (call: CallOptions) => AsyncIterableIterator<StatChunk>,
  ) {
    this.#answer = new SingleUse(
      action,
      () =>
        mapEach(
          cancellable(startCall(action, options), open),
          (chunk) => new StatBatch(chunk.columns, chunk.version),
        ),
    );
  }

  /**
   * The batches, at least one (which may be empty), all of the same version.
   *
   * @throws {TypeError} If the query was read before.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<StatBatch> {
    return this.#answer.take();
  }

  /**
   * Everything as one batch.
   *
   * @throws {TypeError} If the query was read before.
   *
   * @example All windows
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const stream = await db.create(crypto.randomUUID(), "demo");
   * await stream.insert([[1n, 0.5]]);
   * assertEquals((await stream.windows(0n, 9n, 3n).collect()).length, 3);
   * ```
   */
  async collect(): Promise<StatBatch> {
    return joinStat(await gather(this.#answer.take()));
  }

  /**
   * The windows one by one; convenient, and slower than batches.
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
   * for await (const { count } of stream.windows(0n, 3n, 3n).points()) assertEquals(count, 1n);
   * ```
   */
  points(): AsyncIterableIterator<StatPoint> {
    return flatten(this.#answer.take());
  }
}
