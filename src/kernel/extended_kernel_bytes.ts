/**
 * Bytes of the extended kernel, for platforms that take WebAssembly from files only.
 *
 * @module
 */

import { EXTENDED_HEX } from "./extended.gen.ts";
import { moduleBytes } from "./loader.ts";

/**
 * The bytes of the module that `align` loads beside the kernel: written to a file when a program is built,
 * for platforms where `useKernel` is needed, it is its second argument.
 */
export function extendedKernelBytes(): Uint8Array<ArrayBuffer> {
  return moduleBytes(EXTENDED_HEX);
}
