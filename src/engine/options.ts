/**
 * How a database is opened.
 *
 * @module
 */

import type { OpenDatabase } from "./sqlite.ts";

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
   * What an acknowledged insert survives. `"full"`: the end of the process and of the power.
   * `"relaxed"`: the end of the process; after a power failure the latest writes may be missing, the
   * rest is whole.
   *
   * @default {"full"}
   */
  durability?: "full" | "relaxed" | undefined;
  /**
   * Most memory for decoded tree nodes, bytes.
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
   * Points one insert may carry.
   *
   * @default {1048576}
   */
  maxInsertPoints?: number | undefined;
  /** How SQLite databases are opened; for tests. */
  openDatabase?: OpenDatabase | undefined;
}

/** Default of `cacheBytes`. */
export const DEFAULT_CACHE_BYTES = 268_435_456;
