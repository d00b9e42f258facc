/**
 * Arena of the extended kernel: a module and a memory of their own, so that pages, which need nothing
 * of it, do not load it. The discipline is that of {@linkcode arena}.
 *
 * @module
 */

import { type Arena, grown } from "./arena.ts";
import { EXTENDED_HEX, type ExtendedExports } from "./extended.gen.ts";
import { extendedModule, moduleBytes } from "./loader.ts";

/** Valid until the next call of {@linkcode extendedArena}. */
export type ExtendedArena = Arena<ExtendedExports>;

let compiled: WebAssembly.Module | undefined;
let current: ExtendedArena | undefined;

/** A new instance of the extended kernel with a memory of its own. */
function instantiate(): ExtendedExports {
  compiled ??= extendedModule() ?? new WebAssembly.Module(moduleBytes(EXTENDED_HEX));
  return new WebAssembly.Instance(compiled, {}).exports as unknown as ExtendedExports;
}

/**
 * Reserves memory for one synchronous call of the extended kernel.
 *
 * @param bytes Bytes wanted from `base` on, at most 2^31.
 * @throws {RangeError} If the memory cannot grow that far.
 */
export function extendedArena(bytes: number): ExtendedArena {
  current = grown(current, bytes, instantiate);
  return current;
}
