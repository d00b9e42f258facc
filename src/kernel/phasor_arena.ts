/**
 * Arena of the phasor kernel: the module with fused multiplication and addition where the platform has
 * relaxed SIMD and the processor rounds once, the extended kernel elsewhere. Both are accurate to 1 ulp;
 * their last bits differ.
 *
 * @module
 */

import { type Arena, grown } from "./arena.ts";
import { extendedArena } from "./extended_arena.ts";
import { FUSED_HEX, type FusedExports } from "./fused.gen.ts";
import { extendedModule, moduleBytes } from "./loader.ts";

/** Exports that both modules have. */
type PhasorExports = Omit<FusedExports, "isFused">;

/** Valid until the next call of {@linkcode phasorArena}. */
export type PhasorArena = Arena<PhasorExports>;

let fused: Arena<FusedExports> | null | undefined;

/** A new arena of the fused module; null where it cannot be used, or modules are compiled elsewhere. */
function instantiate(): Arena<FusedExports> | null {
  if (extendedModule() !== undefined) return null;
  const bytes = moduleBytes(FUSED_HEX);
  if (!WebAssembly.validate(bytes)) return null;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {});
  const arena = grown(undefined, 0, () => exports as unknown as FusedExports);
  return arena.exports.isFused() ? arena : null;
}

/**
 * Reserves memory for one synchronous call of the phasor kernel.
 *
 * @param bytes Bytes wanted from `base` on, at most 2^31.
 * @throws {RangeError} If the memory cannot grow that far.
 */
export function phasorArena(bytes: number): PhasorArena {
  if (fused === undefined) fused = instantiate();
  if (fused === null) return extendedArena(bytes);
  fused = grown(fused, bytes, () => fused!.exports);
  return fused;
}
