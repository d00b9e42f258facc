/**
 * Arena of WASM memory, the only module that touches it.
 *
 * The discipline every wrapper keeps:
 *
 * - `arena(bytes)` reserves `bytes` from `base` on and returns views that are valid now. A wrapper
 *   lays out its inputs and outputs from `base` (each column {@linkcode columnBytes} long), copies
 *   in, calls, and copies out, without an `await` in between. Nothing survives the call.
 * - Growing detaches every view: a wrapper reserves once, for all it needs, and never keeps a view
 *   or the {@linkcode Arena} itself beyond the call.
 * - Long inputs go through in chunks of {@linkcode CHUNK} points: they stay in the second-level
 *   cache and the memory stays bounded. Growing is for what has to be seen as a whole.
 * - State between calls lives in JavaScript: it is copied in before and out after each call. So two
 *   users may take turns as they like, and there is nothing to release.
 * - What a wrapper returns is a copy that the caller owns.
 *
 * @module
 */

import type { KernelExports } from "./kernel.gen.ts";
import { instantiate } from "./loader.ts";

/** Points per chunk. */
export const CHUNK = 65_536;

/** Exports of a module that has an arena. */
interface ArenaExports {
  readonly memory: WebAssembly.Memory;
  arenaBase(): number;
}

/** Valid until the next call of {@linkcode arena}. */
export interface Arena<Exports extends ArenaExports = KernelExports> {
  readonly exports: Exports;
  /** First byte that may be used, a multiple of 64. */
  readonly base: number;
  /** Bytes that may be used from `base` on. */
  readonly capacity: number;
  /** The whole memory as bytes. */
  readonly u8: Uint8Array<ArrayBuffer>;
  /** The whole memory as 32-bit integers: element `ptr >> 2`. */
  readonly i32: Int32Array<ArrayBuffer>;
  /** The whole memory as unsigned 32-bit integers: element `ptr >> 2`. */
  readonly u32: Uint32Array<ArrayBuffer>;
  /** The whole memory as 64-bit integers: element `ptr >> 3`. */
  readonly i64: BigInt64Array<ArrayBuffer>;
  /** The whole memory as unsigned 64-bit integers: element `ptr >> 3`. */
  readonly u64: BigUint64Array<ArrayBuffer>;
  /** The whole memory as doubles: element `ptr >> 3`. */
  readonly f64: Float64Array<ArrayBuffer>;
}

const PAGE = 65_536;

/** Views of the memory as it is now. */
function view<Exports extends ArenaExports>(exports: Exports): Arena<Exports> {
  const buffer = exports.memory.buffer as ArrayBuffer;
  const base = exports.arenaBase();
  return {
    exports,
    base,
    capacity: buffer.byteLength - base,
    u8: new Uint8Array(buffer),
    i32: new Int32Array(buffer),
    u32: new Uint32Array(buffer),
    i64: new BigInt64Array(buffer),
    u64: new BigUint64Array(buffer),
    f64: new Float64Array(buffer),
  };
}

/** The arena as it is, or larger: at least `bytes` from `base` on. */
export function grown<Exports extends ArenaExports>(
  arena: Arena<Exports> | undefined,
  bytes: number,
  instantiate: () => Exports,
): Arena<Exports> {
  const now = arena ?? view(instantiate());
  if (bytes <= now.capacity) return now;
  now.exports.memory.grow(Math.ceil((bytes - now.capacity) / PAGE));
  return view(now.exports);
}

let current: Arena | undefined;
let reservations = 0;

/**
 * Reserves memory for one synchronous call of the kernel.
 *
 * @param bytes Bytes wanted from `base` on, at most 2^31.
 * @returns Exports and views, valid until the next reservation.
 * @throws {RangeError} If the memory cannot grow that far.
 */
export function arena(bytes: number): Arena {
  reservations++;
  current = grown(current, bytes, instantiate);
  return current;
}

/**
 * Reservations so far. If it is what it was after one's own last one, nobody else used the memory, and
 * what was laid out in it is still there.
 */
export function reservationCount(): number {
  return reservations;
}

/**
 * Bytes of a column of `n` elements of 8 bytes, a multiple of 64. The padding keeps columns of
 * 2^k elements from competing for the same cache lines.
 */
export function columnBytes(n: number): number {
  return ((8 * n + 63) & ~63) + 320;
}
