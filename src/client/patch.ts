/**
 * Patching: insert or replace by time.
 *
 * @module
 */

import { concatRaw, copyRaw, type RawColumns, sliceRaw } from "../core/columns.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { formatTime } from "../core/time.ts";
import { LATEST } from "../core/range.ts";
import type { CallOptions, Endpoint, RawChunk, Version } from "../endpoint/endpoint.ts";
import { sortPoints } from "../kernel/sort.ts";
import type { TimeRange } from "./arguments.ts";
import { insertPoints } from "./insert.ts";
import { lastOfEquals, type PatchRun, planPatch, survivors } from "./patch_plan.ts";
import { wholeRange } from "./range_cut.ts";
import { columnsOf, isAsync, type Points } from "./points_to_columns.ts";
import { abortable, throwIfOver } from "../core/call.ts";

/** Stored points read at once to find those at the times of a patch. */
const MAX_READ = 65_536n;

/**
 * Makes the stored points at exactly the given times those of the patch.
 *
 * @returns The major version after it.
 */
export async function patchPoints(
  endpoint: Endpoint,
  uuid: Uint8Array,
  points: Points,
  call: CallOptions,
): Promise<bigint> {
  if (!isAsync(points)) return await patchBatch(endpoint, uuid, columnsOf("patch", points), call);
  const source = points[Symbol.asyncIterator]();
  let version: bigint | undefined;
  let ended = false;
  try {
    for (let batch = 0;; batch++) {
      const next = await abortable(source.next(), call, "patch");
      ended = next.done === true;
      if (next.done) break;
      version = await patchBatch(endpoint, uuid, columnsOf("patch", next.value, batch), call);
    }
  } finally {
    if (!ended) source.return?.().catch(() => {});
  }
  return version ?? await patchBatch(endpoint, uuid, columnsOf("patch", []), call);
}

async function patchBatch(
  endpoint: Endpoint,
  uuid: Uint8Array,
  columns: RawColumns,
  call: CallOptions,
): Promise<bigint> {
  // Callers may write to their memory while the stored points are read.
  const patch = lastOfEquals(sortPoints(copyRaw(columns)));
  if (endpoint.capabilities.mergePolicies) {
    try {
      return await insertPoints(endpoint, uuid, patch, { mergePolicy: "replace" }, call);
    } catch (error) {
      // A v5 proxy in front of a v4 database speaks of merge policies that it does not have.
      const isMissing = error instanceof BTrDBError && error.code === ErrorCode.NotImplemented;
      if (!isMissing) throw error;
    }
  }
  const patcher = new Patcher(endpoint, uuid, call);
  const step = endpoint.capabilities.maxInsertPoints;
  for (let from = 0; from < patch.times.length; from += step) {
    await patcher.apply(sliceRaw(patch, from, from + step));
  }
  return await patcher.version();
}

/**
 * A patch over protocol v4, which can only delete ranges and insert.
 *
 * The order that loses nothing: read what stands at the patched times; then, run by run, delete and
 * at once insert what is to stand there. A delete commits what is buffered and makes a version of
 * its own, so the version before it holds every point acknowledged until then. Unless that is for
 * certain the version that was read, what another client added to the run meanwhile is read from it
 * and inserted again, in the same request. If the insert after a delete fails, the error names the
 * version that still holds the old points, and repeating the patch completes it.
 */
class Patcher {
  readonly #endpoint: Endpoint;
  readonly #uuid: Uint8Array;
  readonly #call: CallOptions;
  #version = 0n;

  constructor(endpoint: Endpoint, uuid: Uint8Array, call: CallOptions) {
    this.#endpoint = endpoint;
    this.#uuid = uuid;
    this.#call = call;
  }

  /** The major version after the last change. */
  async version(): Promise<bigint> {
    if (this.#version === 0n) await this.#insert(concatRaw([]));
    return this.#version;
  }

  /** Applies points, ascending, no time twice, no more than fit into one request. */
  async apply(patch: RawColumns): Promise<void> {
    const n = patch.times.length;
    throwIfOver(this.#call, "patch");
    const range = { start: patch.times[0]!, end: patch.times[n - 1]! + 1n };
    if (n > 1 && await this.#count(range) > MAX_READ) {
      const middle = n >> 1;
      await this.apply(sliceRaw(patch, 0, middle));
      await this.apply(sliceRaw(patch, middle, n));
      return;
    }
    const stored = await this.#read(range, LATEST);
    const { runs, rest } = planPatch(stored.columns, patch);
    const { major, minor } = stored.version;
    for (const [i, run] of runs.entries()) {
      // With points in the buffer, one more of another client would not change what a delete answers.
      await this.#replace(run, patch, i === 0 && minor === 0n ? major + 1n : undefined);
    }
    if (rest.times.length > 0) await this.#insert(rest);
  }

  /**
   * Deletes a run and inserts what belongs there. From the one to the other neither an abort nor a
   * timeout is heeded: a delete that was given up may take place all the same.
   *
   * @param expected Version after the delete if nobody else writes, where that can be told.
   */
  async #replace(run: PatchRun, patch: RawColumns, expected: bigint | undefined): Promise<void> {
    throwIfOver(this.#call, "patch");
    const uuid = this.#uuid;
    const { start, end } = run;
    let before: bigint | undefined;
    try {
      const { major } = await this.#endpoint.deleteRange({ uuid, start, end }, {});
      before = major - 1n;
      const others = major === expected
        ? concatRaw([])
        : survivors((await this.#read(run, before, {})).columns, patch);
      const points = sliceRaw(patch, run.lo, run.hi);
      await this.#insert(concatRaw([others, points]), {});
    } catch (error) {
      throw explained(error, run, before);
    }
  }

  async #insert(columns: RawColumns, call: CallOptions = this.#call): Promise<void> {
    this.#version = await insertPoints(this.#endpoint, this.#uuid, columns, {}, call);
  }

  async #count(range: TimeRange): Promise<bigint> {
    let total = 0n;
    for await (
      const { columns } of wholeRange(
        this.#endpoint,
        { uuid: this.#uuid, version: LATEST },
        range,
        this.#call,
      )
    ) {
      for (const count of columns.count) total += count;
    }
    return total;
  }

  async #read(
    { start, end }: TimeRange,
    asked: bigint,
    call: CallOptions = this.#call,
  ): Promise<RawChunk> {
    const batches: RawColumns[] = [];
    let version: Version = { major: 0n, minor: 0n };
    for await (
      const chunk of this.#endpoint.rawValues(
        { uuid: this.#uuid, start, end, version: asked },
        call,
      )
    ) {
      version = chunk.version;
      batches.push(chunk.columns);
    }
    return { version, columns: concatRaw(batches) };
  }
}

/**
 * The error of a patch of which something may be deleted and not inserted again.
 *
 * @param version Holds what stood there; absent: nobody knows whether it is deleted, unless the database
 * has answered.
 */
function explained(error: unknown, { start, end }: TimeRange, version?: bigint): unknown {
  if (!(error instanceof BTrDBError) || (version === undefined && error.code !== 0)) return error;
  const held = version === undefined ? "the version before" : `version ${version}`;
  return new BTrDBError(
    `Cannot finish the patch of ${formatTime(start)} to ${formatTime(end)}: ${error.message}; ` +
      `${held} still holds what stood there, repeating the patch completes it`,
    { ...error, cause: error },
  );
}
