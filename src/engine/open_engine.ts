/**
 * Opens the engine with all its parts.
 *
 * @module
 */

import type { Engine } from "./engine.ts";
import { openEngine as openInThisThread } from "./open.ts";
import type { EngineOptions } from "./options.ts";
import { LeafPacker } from "./packing/leaf_packer.ts";
import { ReaderPool } from "./readers/reader_pool.ts";

/** One for all databases: it starts its thread when many points come at once. */
const packer = new LeafPacker();

/**
 * Opens an engine that reads and makes leaves in threads, too; what they open does not.
 *
 * @throws As the engine's own `openEngine`.
 */
export function openEngine(options: EngineOptions = {}): Promise<Engine> {
  return openInThisThread({
    packer,
    startReaders: (count, file, beforeRead) => new ReaderPool(count, file, undefined, beforeRead),
    ...options,
  });
}
