/**
 * Makes the kernel: synchronous, at the first use, without a permission and without an import.
 *
 * @module
 */

import { KERNEL_BASE64, type KernelExports } from "./kernel.gen.ts";

let compiled: WebAssembly.Module | undefined;

/**
 * Takes a module that was compiled elsewhere for the kernel. Edge workers may not compile
 * WebAssembly from bytes: there, import the file and hand it over before the first call.
 *
 * @param module Compiled from {@linkcode kernelBytes}.
 */
export function useKernel(module: WebAssembly.Module): void {
  compiled = module;
}

/**
 * The bytes of the embedded module, for platforms that take WebAssembly from files only: write them to
 * a file when the program is built, import that, and hand it to {@linkcode useKernel}.
 */
export function kernelBytes(): Uint8Array<ArrayBuffer> {
  return moduleBytes(KERNEL_BASE64);
}

/** The bytes of a module in base64. */
export function moduleBytes(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A new instance of the kernel with a memory of its own. */
export function instantiate(): KernelExports {
  compiled ??= new WebAssembly.Module(kernelBytes());
  return new WebAssembly.Instance(compiled, {}).exports as unknown as KernelExports;
}
