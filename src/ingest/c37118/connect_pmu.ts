/**
 * Live measurements of a PMU or PDC as an async iterable.
 *
 * @module
 */

import { checkOptions } from "../../core/request_options.ts";
import { abortable, type CallOptions } from "../../core/call.ts";
import type { Configuration } from "./configuration.ts";
import type { DataFrame, DecodeOptions } from "./frame_decoder.ts";
import type { LinkCounts } from "./link_statistics.ts";
import { PmuLink } from "./pmu_link.ts";
import { parsePmuTarget } from "./pmu_target.ts";

/** Options of a live connection. */
export interface ConnectPmuOptions extends DecodeOptions {
  /** Number of the data stream, 1 to 65534; where the address does not say it. */
  id?: number | undefined;
  /** Kind of configuration to ask for. @default {2} */
  cfg?: 2 | 3 | undefined;
  /** Closes the connection; iterating rejects with its reason. */
  signal?: AbortSignal | undefined;
  /** Time to connect and receive the configuration, ms. @default {20_000} */
  timeoutMs?: number | undefined;
}

/** Frames kept for who reads slowly; then TCP is held back, and datagrams are dropped. */
const MAX_QUEUE = 1024;

/** A live connection: an async iterable of data frames, read once. */
export class PmuConnection implements AsyncIterable<DataFrame>, AsyncDisposable {
  readonly #queue: DataFrame[] = [];
  readonly #signal: AbortSignal | undefined;
  readonly #configurations = new Map<number, Configuration>();
  #link: PmuLink | undefined;
  #wake: (() => void) | undefined;
  #isClosed = false;
  #failure: Error | undefined;
  #isPaused = false;
  #overrun = 0;

  /** @ignore Made by {@linkcode connectPmu}. */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** @ignore Used by {@linkcode connectPmu}. */
  async open(target: string, options: ConnectPmuOptions, call: CallOptions): Promise<void> {
    const opening = PmuLink.open(parsePmuTarget(target, options), options, {
      onData: (raw, decoder) => {
        if (this.#queue.length >= 2 * MAX_QUEUE) this.#overrun++;
        else this.#queue.push(decoder.toFrame(raw));
        if (this.#queue.length >= MAX_QUEUE && !this.#isPaused) {
          this.#isPaused = true;
          this.#link?.pause();
        }
        this.#wake?.();
      },
      onFrame: (frame) => {
        if (frame.type !== "configuration") return;
        this.#configurations.set(frame.idcode, frame.configuration);
      },
      onOverrun: () => void this.#overrun++,
      onClose: (reason) => {
        this.#isClosed = true;
        this.#failure = reason;
        this.#wake?.();
      },
    }, call);
    try {
      this.#link = await abortable(opening, call, "connect to the PMU");
    } catch (error) {
      opening.then((link) => link.close(), () => {});
      throw error;
    }
  }

  /** Configurations in use, one a data stream. */
  get configurations(): Configuration[] {
    return [...this.#configurations.values()];
  }

  /**
   * Counts of frames; `overrun` are datagrams dropped because nobody read, or because they had more
   * new configurations than can be read.
   */
  get counts(): LinkCounts & { overrun: number } {
    return { ...this.#link!.counts, overrun: this.#overrun };
  }

  /** Port listened on for datagrams, if any. */
  get udpPort(): number | undefined {
    return this.#link?.udpPort;
  }

  /** Data frames as they come; leaving the loop closes the connection. */
  async *[Symbol.asyncIterator](): AsyncGenerator<DataFrame, void, void> {
    try {
      for (;;) {
        this.#signal?.throwIfAborted();
        const frame = this.#queue.shift();
        if (frame !== undefined) {
          if (this.#isPaused && this.#queue.length < MAX_QUEUE / 2) {
            this.#isPaused = false;
            this.#link?.resume();
          }
          yield frame;
          continue;
        }
        if (this.#failure !== undefined) throw this.#failure;
        if (this.#isClosed) return;
        const more = new Promise<void>((resolve) => this.#wake = resolve);
        await abortable(more, { signal: this.#signal }, "read from the PMU");
      }
    } finally {
      await this.close();
    }
  }

  /** Asks the device to stop, and closes; idempotent. */
  async close(): Promise<void> {
    await this.#link?.close();
  }

  /** As `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Connects to a PMU or PDC, asks for its configuration, and starts its data.
 *
 * @param target `host:4712`, or a URL as {@linkcode parsePmuTarget} reads it: TCP, UDP, commands by
 * TCP and data by UDP, or listening for data sent unasked.
 * @param options Number of the data stream, reading of frequency and times.
 * @returns The connection. It does not come back by itself when it breaks: iterating rejects then.
 * @throws {BTrDBError} UNAVAILABLE if nobody answers, DEADLINE_EXCEEDED if it takes too long.
 *
 * @example Measurements of a simulated PMU
 * ```ts
 * import { connectPmu, simulatePmu } from "@btrdb/btrdb/c37118";
 * import { assertEquals } from "@std/assert";
 *
 * await using simulated = await simulatePmu({ id: 60, rate: 100 });
 * await using pmu = await connectPmu(simulated.address, { id: 60 });
 * for await (const { stations } of pmu) {
 *   assertEquals(stations[0]!.configuration.name, "SIM 60");
 *   break;
 * }
 * ```
 */
export async function connectPmu(
  target: string,
  options: ConnectPmuOptions = {},
): Promise<PmuConnection> {
  checkOptions("connect to the PMU", options);
  const { signal, timeoutMs = 20_000 } = options;
  const connection = new PmuConnection(signal);
  await connection.open(target, options, { signal, deadlineMs: Date.now() + timeoutMs });
  return connection;
}
