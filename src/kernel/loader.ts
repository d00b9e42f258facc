/**
 * Makes the kernel: synchronous, at the first use, without a permission and without an import.
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";
import { describe } from "../core/describe.ts";
import { KERNEL_HEX, type KernelExports } from "./kernel.gen.ts";

let compiled: WebAssembly.Module | undefined;
let extended: WebAssembly.Module | undefined;

/**
 * Takes modules that were compiled elsewhere for the kernel. Edge workers may not compile WebAssembly from
 * bytes: there, import the files and hand them over before the first call.
 *
 * @param module Compiled from {@linkcode kernelBytes}.
 * @param extension Compiled from `extendedKernelBytes()` of the entry `./kernel`; `align` needs it.
 * @throws {TypeError} If one is no compiled module.
 */
export function useKernel(module: WebAssembly.Module, extension?: WebAssembly.Module): void {
  checkModule("module", module);
  if (extension !== undefined) checkModule("extension", extension);
  compiled = module;
  extended = extension;
}

function checkModule(name: string, module: unknown): void {
  if (module instanceof WebAssembly.Module) return;
  throw invalidType(
    `Cannot use a kernel: ${name} is ${describe(module)}, expected a WebAssembly.Module`,
  );
}

/**
 * The bytes of the embedded module, for platforms that take WebAssembly from files only: write them to
 * a file when the program is built, import that, and hand it to {@linkcode useKernel}.
 */
export function kernelBytes(): Uint8Array<ArrayBuffer> {
  return moduleBytes(KERNEL_HEX);
}

/** The extended kernel that was handed to {@linkcode useKernel}. */
export function extendedModule(): WebAssembly.Module | undefined {
  return extended;
}

/** The bytes of a module in hexadecimal digits. */
export function moduleBytes(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = 16 * digit(hex, 2 * i) + digit(hex, 2 * i + 1);
  return bytes;
}

/** A hexadecimal digit: 0 to 9, or a to f, whose codes have a bit more. */
function digit(hex: string, at: number): number {
  const code = hex.charCodeAt(at);
  return (code & 15) + 9 * (code >> 6);
}

/** A new instance of the kernel with a memory of its own. */
export function instantiate(): KernelExports {
  compiled ??= new WebAssembly.Module(kernelBytes());
  return new WebAssembly.Instance(compiled, {}).exports as unknown as KernelExports;
}
