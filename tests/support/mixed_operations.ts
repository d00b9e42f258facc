/**
 * Random operations on endpoints, for tests that make the same ones on two of them and compare.
 * Answers are given in a form that two right endpoints agree on.
 */

import { concatRaw, concatStat, type RawColumns } from "../../src/core/columns.ts";
import { BTrDBError } from "../../src/core/errors.ts";
import { MAX_TIME, MIN_TIME } from "../../src/core/range.ts";
import type { Endpoint, Version } from "../../src/endpoint/endpoint.ts";
import type { Random } from "./random.ts";

/** One operation: it is made on any endpoint, and says what it is. */
export interface Operation {
  name: string;
  /** True if it changes the stream. */
  writes: boolean;
  run(endpoint: Endpoint): Promise<unknown>;
}

/** Times of the points are below this, so that some of them coincide. */
const SPAN = 100_000;

/** A stream's operations, one after another. */
export class Operations {
  readonly #random: Random;
  readonly #uuid: Uint8Array;
  readonly #collection: string;
  #property = 1n;
  #major = 10n;

  constructor(random: Random, uuid: Uint8Array, collection: string) {
    this.#random = random;
    this.#uuid = uuid;
    this.#collection = collection;
  }

  /** Creates the stream. */
  create(): Operation {
    const request = {
      uuid: this.#uuid,
      collection: this.#collection,
      tags: new Map([["name", "chaos"]]),
      annotations: new Map([["step", "0"]]),
    };
    return operation("create", true, (endpoint) => endpoint.create(request));
  }

  /** The next operation. */
  next(): Operation {
    const random = this.#random;
    const roll = random.next();
    if (roll < 0.4) return this.#insert();
    if (roll < 0.46) return this.#delete();
    if (roll < 0.52) return this.#flush();
    if (roll < 0.57) return this.#annotate();
    if (roll < 0.72) return this.#raw();
    if (roll < 0.8) return this.#aligned();
    if (roll < 0.88) return this.#windows();
    if (roll < 0.94) return this.#nearest();
    return this.#changes();
  }

  /** Notes the version an operation answered. */
  learn(answer: unknown): void {
    const major = (answer as { major?: bigint } | undefined)?.major;
    if (major !== undefined && major > this.#major) this.#major = major;
  }

  /** All points, in order of time, equal times by value. */
  async points(endpoint: Endpoint): Promise<[bigint, number][]> {
    const request = { uuid: this.#uuid, start: MIN_TIME, end: MAX_TIME - 1n, version: 0n };
    const { columns } = await gatherRaw(endpoint, request);
    const pairs = Array.from(columns.times, (t, i): [bigint, number] => [t, columns.values[i]!]);
    return pairs.sort((a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] - b[1]);
  }

  #columns(n: number): RawColumns {
    const times = BigInt64Array.from({ length: n }, () => BigInt(this.#random.int(0, SPAN)));
    const values = Float64Array.from({ length: n }, () => this.#random.int(-50, 50) / 4);
    return { times, values };
  }

  #range(): { uuid: Uint8Array; start: bigint; end: bigint } {
    const start = this.#random.int(-10, SPAN);
    const end = start + this.#random.int(1, SPAN);
    return { uuid: this.#uuid, start: BigInt(start), end: BigInt(end) };
  }

  #version(): bigint {
    return this.#random.chance(0.6) ? 0n : BigInt(this.#random.int(10, Number(this.#major)));
  }

  #insert(): Operation {
    const n = this.#random.chance(0.1) ? this.#random.int(2000, 12000) : this.#random.int(1, 300);
    const request = { uuid: this.#uuid, columns: this.#columns(n) };
    return operation(`insert of ${n}`, true, (endpoint) => endpoint.insert(request));
  }

  #delete(): Operation {
    const range = this.#range();
    const name = `delete ${range.start} to ${range.end}`;
    return operation(name, true, (endpoint) => endpoint.deleteRange(range));
  }

  #flush(): Operation {
    return operation("flush", true, (endpoint) => endpoint.flush(this.#uuid));
  }

  #annotate(): Operation {
    const expected = this.#property++;
    const changes = new Map([["step", String(expected)]]);
    const request = { uuid: this.#uuid, expected, changes, removals: [] };
    return operation(`annotate ${expected}`, true, (endpoint) => endpoint.setAnnotations(request));
  }

  #raw(): Operation {
    const request = { ...this.#range(), version: this.#version() };
    const name = `raw ${request.start} to ${request.end} at ${request.version}`;
    return operation(name, false, (endpoint) => gatherRaw(endpoint, request));
  }

  #aligned(): Operation {
    const pointwidth = this.#random.int(1, 14);
    const request = { ...this.#range(), version: this.#version(), pointwidth };
    const name = `aligned ${request.start} to ${request.end} by 2^${pointwidth}`;
    return operation(name, false, (endpoint) => gatherStat(endpoint.alignedWindows(request)));
  }

  #windows(): Operation {
    const width = BigInt(this.#random.int(1, 20_000));
    const request = { ...this.#range(), version: this.#version(), width, depth: 0 };
    const name = `windows ${request.start} to ${request.end} by ${width}`;
    return operation(name, false, (endpoint) => gatherStat(endpoint.windows(request)));
  }

  #nearest(): Operation {
    const request = {
      uuid: this.#uuid,
      time: BigInt(this.#random.int(0, SPAN)),
      version: this.#version(),
      backward: this.#random.chance(0.5),
    };
    const name = `nearest ${request.backward ? "before" : "after"} ${request.time}`;
    return operation(name, false, (endpoint) => endpoint.nearest(request));
  }

  #changes(): Operation {
    const from = BigInt(this.#random.int(1, Number(this.#major)));
    const request = { uuid: this.#uuid, from, to: 0n, resolution: this.#random.int(0, 20) };
    return operation(`changes from ${from}`, false, async (endpoint) => {
      const ranges: [bigint, bigint][] = [];
      let version: Version | undefined;
      for await (const chunk of endpoint.changes(request)) {
        version = chunk.version;
        chunk.starts.forEach((start, i) => ranges.push([start, chunk.ends[i]!]));
      }
      return { version, ranges };
    });
  }
}

/** Answer of an endpoint; an application error is an answer too. */
function operation(
  name: string,
  writes: boolean,
  call: (endpoint: Endpoint) => Promise<unknown>,
): Operation {
  const run = async (endpoint: Endpoint) => {
    try {
      return await call(endpoint) ?? "done";
    } catch (error) {
      if (!(error instanceof BTrDBError) || error.code === 0) throw error;
      return { code: error.code, text: error.message };
    }
  };
  return { name, writes, run };
}

async function gatherRaw(
  endpoint: Endpoint,
  request: { uuid: Uint8Array; start: bigint; end: bigint; version: bigint },
): Promise<{ version: Version | undefined; columns: RawColumns }> {
  const batches: RawColumns[] = [];
  let version: Version | undefined;
  for await (const chunk of endpoint.rawValues(request)) {
    version = chunk.version;
    batches.push(chunk.columns);
  }
  return { version, columns: concatRaw(batches) };
}

async function gatherStat(chunks: ReturnType<Endpoint["windows"]>): Promise<unknown> {
  const batches = [];
  let version: Version | undefined;
  for await (const chunk of chunks) {
    version = chunk.version;
    batches.push(chunk.columns);
  }
  const { times, min, max, mean, count } = concatStat(batches);
  // Sums are formed in the order of the points, which for equal times is that of their arrival.
  return { version, times, min, max, count, mean: mean.map((value) => Math.fround(value)) };
}
