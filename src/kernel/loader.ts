/**
 * Makes the core: synchronous, at the first use, without a permission and without an import.
 *
 * @module
 */

import { CORE_BASE64, type CoreExports } from "./kernel.gen.ts";

/** The bytes of the embedded module. */
export function coreBytes(): Uint8Array<ArrayBuffer> {
  const text = atob(CORE_BASE64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A new instance of the core with a memory of its own. */
export function instantiate(): CoreExports {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(coreBytes()), {});
  return instance.exports as unknown as CoreExports;
}
