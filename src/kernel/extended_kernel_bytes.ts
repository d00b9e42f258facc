/**
 * Bytes of the extended kernel, for platforms that take WebAssembly from files only.
 *
 * @module
 */

import { EXTENDED_HEX } from "./extended.gen.ts";
import { moduleBytes } from "./loader.ts";

/**
 * The bytes of the second WebAssembly module, which only `align` needs: for platforms that take
 * WebAssembly from files only. Write them to a file when the program is built, import that, and hand it
 * to `useKernel` as its second argument.
 */
export function extendedKernelBytes(): Uint8Array<ArrayBuffer> {
  return moduleBytes(EXTENDED_HEX);
}
