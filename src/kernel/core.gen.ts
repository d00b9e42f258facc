// Generated from wasm/ by `deno task build:wasm`; do not edit.

/** What the core exports: pointers are byte addresses, 64-bit integers are bigints. */
export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  arenaBase(): number;
}

/** Size of the module, bytes. */
export const CORE_BYTES = 57;

/** The module, base64. */
export const CORE_BASE64: string =
  "AGFzbQEAAAABBQFgAAF/AwIBAAUDAQBABxYCCWFyZW5hQmFzZQAABm1lbW9yeQIACgcBBQBBgAgL";
