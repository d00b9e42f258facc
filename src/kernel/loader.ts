/**
 * Makes the kernel: synchronous, at the first use, without a permission and without an import.
 *
 * @module
 */

import { KERNEL_BASE64, type KernelExports } from "./kernel.gen.ts";

/** The bytes of the embedded module. */
export function kernelBytes(): Uint8Array<ArrayBuffer> {
  const text = atob(KERNEL_BASE64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A new instance of the kernel with a memory of its own. */
export function instantiate(): KernelExports {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(kernelBytes()), {});
  return instance.exports as unknown as KernelExports;
}
