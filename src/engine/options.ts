/**
 * Options of the engine and their checks.
 *
 * @module
 */

import { checkPath } from "../core/check_path.ts";
import { describe } from "../core/describe.ts";
import type { Readers } from "../endpoint/endpoint.ts";
import type { OpenDatabase } from "./file/sqlite.ts";
import type { LeafPacker } from "./packing/leaf_packer.ts";
import type { LateLimits } from "./tree/late_plan.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";

/** A file to read in threads. */
export interface ReaderFile {
  readonly path: string;
  /** Most memory for decoded tree nodes, bytes. */
  readonly cacheBytes: number;
  /** Streams after which those are forgotten that were not asked for lately. */
  readonly cacheStreams: number;
}

/** Starts threads that read a file. A read fails with the error that `beforeRead` throws. */
export type StartReaders = (
  count: number,
  file: ReaderFile,
  beforeRead: () => void,
) => Readers & { opened(): Promise<void> };

/** Options of `openEngine`. */
export interface EngineOptions {
  /** Database file; absent: everything is kept in memory. */
  path?: string | undefined;
  /**
   * Open an existing file without changing it, also beside a writer.
   *
   * @default {false}
   */
  readOnly?: boolean | undefined;
  /**
   * Failures that an acknowledged insert survives. `"full"`: the end of the process and of the
   * power. `"relaxed"`: the end of the process; after a power failure the latest writes may be
   * missing, the rest is whole.
   *
   * @default {"full"}
   */
  durability?: "full" | "relaxed" | undefined;
  /**
   * Most memory for decoded tree nodes, bytes; late points may take a quarter more.
   *
   * @default {268435456}
   */
  cacheBytes?: number | undefined;
  /**
   * Age at which buffered points are committed, ms.
   *
   * @default {28800000}
   */
  maxBufferAgeMs?: number | undefined;
  /**
   * Points in the buffers of all streams together, 16 bytes each, above which the largest buffers
   * are committed before they are full.
   *
   * @default {16777216}
   */
  maxBufferedPoints?: number | undefined;
  /**
   * Streams after which those that were not asked for since as many others are forgotten; what is
   * forgotten is read again when it is asked for. Most streams in memory are twice as many, with
   * their buffered points.
   *
   * @default {262144}
   */
  cacheStreams?: number | undefined;
  /**
   * Points one insert may carry.
   *
   * @default {1048576}
   */
  maxInsertPoints?: number | undefined;
  /** The present, ms since the Unix epoch; for tests. @default {Date.now} */
  now?: (() => number) | undefined;
  /** Time between two looks whether points are to expire, ms; for tests. @default {60000} */
  expiryTickMs?: number | undefined;
  /**
   * True if the writer of the file, where there is one, is another thread of this process: for readers
   * in threads, which must not look for other writers. Closing the file they look into would take back
   * the locks of this process.
   */
  ownWriter?: boolean | undefined;
  /** Starts threads for reads; where it is absent there are none. */
  startReaders?: StartReaders | undefined;
  /** Makes leaves of large inserts in a thread; where it is absent there is none. */
  packer?: LeafPacker | undefined;
  /** When late points are kept beside the tree; for tests. */
  lateLimits?: LateLimits | undefined;
  /** Opens SQLite databases; for tests. */
  openDatabase?: OpenDatabase | undefined;
}

/** Default of `cacheBytes`. */
export const DEFAULT_CACHE_BYTES = 268_435_456;

/**
 * Checks options.
 *
 * @throws {TypeError} If one is of the wrong type.
 * @throws {RangeError} If a number is out of its range.
 */
export function checkOptions(options: EngineOptions): void {
  const { path, readOnly, durability } = options;
  if (path !== undefined) checkPath("open", path, "path");
  if (readOnly !== undefined && typeof readOnly !== "boolean") {
    throw invalidType(`Cannot open: readOnly is ${describe(readOnly)}, expected a boolean`);
  }
  if (durability !== undefined && durability !== "full" && durability !== "relaxed") {
    throw invalidType(
      `Cannot open: durability is ${describe(durability)}, expected "full" or "relaxed"`,
    );
  }
  atLeast(options, "cacheBytes", 0);
  atLeast(options, "maxBufferAgeMs", 0);
  atLeast(options, "maxBufferedPoints", 0);
  atLeast(options, "cacheStreams", 0);
  atLeast(options, "maxInsertPoints", 1);
}

function atLeast(
  options: EngineOptions,
  name: "cacheBytes" | "cacheStreams" | "maxBufferAgeMs" | "maxBufferedPoints" | "maxInsertPoints",
  least: number,
): void {
  const value: unknown = options[name];
  if (value === undefined) return;
  if (typeof value !== "number") {
    throw invalidType(`Cannot open: ${name} is ${describe(value)}, expected a number`);
  }
  if (!(value >= least)) {
    throw outOfRange(`Cannot open: ${name} is ${value}, expected at least ${least}`);
  }
}
