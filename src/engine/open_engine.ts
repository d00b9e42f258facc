/**
 * Opens the engine with all its parts.
 *
 * @module
 */

import type { Engine } from "./engine.ts";
import { openEngine as openInThisThread } from "./open.ts";
import type { EngineOptions } from "./options.ts";
import { ReaderPool } from "./readers/reader_pool.ts";

/**
 * Opens an engine that can read in threads, too; what they open cannot.
 *
 * @throws As the engine's own `openEngine`.
 */
export function openEngine(options: EngineOptions = {}): Promise<Engine> {
  return openInThisThread({
    startReaders: (count, file) => new ReaderPool(count, file),
    ...options,
  });
}
