/** A database whose raw queries never end by themselves, and what became of them. */

import { throwIfOver } from "../../src/core/call.ts";
import type { CallOptions, Endpoint, RangeRequest, RawChunk } from "../../src/endpoint/endpoint.ts";
import { override } from "./override_endpoint.ts";
import { until } from "./until.ts";

/** Points of an endless answer's chunk. */
const CHUNK = 5_000;

/** Endless queries of an endpoint. Their values are incompressible, so that buffers fill. */
export class EndlessQueries {
  /** Queries under way. */
  open = 0;
  /** Chunks that were taken of them. */
  chunks = 0;
  /** When the last of them ended, as `performance.now()` counts. */
  endedAtMs: number = NaN;
  readonly #values: Float64Array = Float64Array.from({ length: CHUNK }, () => Math.random());

  /** Bytes of the points that were taken. */
  get bytes(): number {
    return this.chunks * CHUNK * 16;
  }

  /** An endpoint with these queries in place of its own. */
  endpoint(engine: Endpoint): Endpoint {
    return override(engine, { rawValues: (request, options) => this.#endless(request, options) });
  }

  async *#endless(
    request: RangeRequest,
    options: CallOptions = {},
  ): AsyncIterableIterator<RawChunk> {
    this.open++;
    try {
      for (let at = request.start;; at += BigInt(CHUNK)) {
        await new Promise((resolve) => setTimeout(resolve));
        throwIfOver(options, "read raw values");
        const times = BigInt64Array.from({ length: CHUNK }, (_, i) => at + BigInt(i));
        this.chunks++;
        yield { version: { major: 11n, minor: 0n }, columns: { times, values: this.#values } };
      }
    } finally {
      this.open--;
      this.endedAtMs = performance.now();
    }
  }

  /**
   * Waits until nothing is produced any more while a hundred other calls are answered.
   *
   * @param maxBytes Most that may be buffered until then.
   */
  still(call: () => Promise<unknown>, maxBytes: number): Promise<void> {
    return until("nothing is produced while nobody reads", async () => {
      const before = this.chunks;
      for (let i = 0; i < 100; i++) await call();
      if (this.bytes > maxBytes) throw new Error(`${this.bytes} bytes are buffered`);
      return this.chunks === before;
    });
  }

  /** Waits until no query is open. */
  closed(): Promise<void> {
    return until("the query is closed", () => this.open === 0);
  }

  /**
   * Makes a reader go away, waits until its query has ended, and prints how long that took: what a
   * figure is worth depends on the machine, that it ends does not.
   *
   * @param how Names the way in the line that is printed.
   * @param leave Makes it go away.
   */
  async endsAfter(how: string, leave: () => unknown): Promise<void> {
    const fromMs = performance.now();
    await leave();
    await this.closed();
    // deno-lint-ignore no-console -- a figure to be seen, not to be held against a limit
    console.info(`${how}: the query ended after ${(this.endedAtMs - fromMs).toFixed(1)} ms`);
  }
}
