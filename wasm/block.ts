// Points as compressed bytes, without loss: what the engine keeps in its leaves and its journal.
//
//   block    = count: u32, times: run, mode: u8, parameter: u8, values: run
//
// Runs are packed integers (packed_run.ts). Values become integers in one of three ways, whichever is
// shortest:
//
//   mode 0   the bits of the double, in order of value, less `parameter` trailing zero bits
//   mode 1   the value times 10^parameter, where that is exact
//   mode 2   the value times 2^parameter, where that is exact
//
// The idea of trying decimals is that of Afroozeh, Kuffo and Boncz, "ALP: Adaptive Lossless
// floating-Point Compression" (2023).

import { bestOrder, packRun, runBits, unpackRun } from "./packed_run";

const MODE_BITS: u8 = 0;
const MODE_DECIMAL: u8 = 1;
const MODE_BINARY: u8 = 2;
const MAX_DECIMALS: u32 = 12;
const MAX_BINARY: i32 = 60;
const MAX_EXACT: f64 = 9007199254740992;
const SIGN: u64 = 0x8000000000000000;

const POWERS = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]);

// ---- values as integers ----------------------------------------------------------------------

/** Trailing zero bits that all `n` doubles share, at most 52. */
function sharedZeros(at: usize, n: u32): u32 {
  let any: u64 = 1 << 52;
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8) any |= load<u64>(p);
  return <u32>ctz(any);
}

/** Doubles to integers in the same order, less `zeros` trailing bits. */
function fromBits(at: usize, n: u32, zeros: u32, out: usize): void {
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8, out += 8) {
    const bits = load<u64>(p);
    const magnitude = <i64>((bits & ~SIGN) >> zeros);
    store<i64>(out, <i64>bits < 0 ? ~magnitude : magnitude);
  }
}

/** Undoes `fromBits`, in place. */
function toBits(at: usize, n: u32, zeros: u32): void {
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8) {
    const v = load<i64>(p);
    const sign = v >> 63;
    store<u64>(p, (<u64>(v ^ sign) << zeros) | (<u64>sign & SIGN));
  }
}

/** Writes the values times 10^k as integers; whether every one is exact. An integer has no −0. */
function fromDecimal(at: usize, n: u32, k: u32, out: usize): bool {
  const power = load<f64>(POWERS + (<usize>k << 3));
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8, out += 8) {
    const value = load<f64>(p);
    const scaled = nearest(value * power);
    if (!(abs(scaled) < MAX_EXACT)) return false;
    const bits = load<u64>(p);
    if (reinterpret<u64>(scaled / power) != bits || bits == SIGN) return false;
    store<i64>(out, <i64>scaled);
  }
  return true;
}

/** Fewest decimals that make every value an integer; -1 if there are too many. */
function decimals(at: usize, n: u32, out: usize): i32 {
  for (let k: u32 = 0; k <= MAX_DECIMALS; k++) {
    if (fromDecimal(at, n, k, out)) return k;
  }
  return -1;
}

/** Fewest binary places that make every value an integer below 2^53; -1 if there are too many. */
function binaries(at: usize, n: u32): i32 {
  let places: i32 = 0;
  let largest: f64 = 0;
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8) {
    const bits = load<u64>(p);
    if (bits == SIGN) return -1;
    if (bits == 0) continue;
    const exponent = <i32>((bits >> 52) & 0x7ff);
    if (exponent == 0 || exponent == 0x7ff) return -1;
    const zeros = <i32>ctz(bits | (1 << 52));
    places = max(places, 1075 - exponent - zeros);
    if (places > MAX_BINARY) return -1;
    largest = max(largest, abs(load<f64>(p)));
  }
  return largest * <f64>(<u64>1 << places) < MAX_EXACT ? places : -1;
}

/** Undoes scaling by `power`, in place. */
function unscale(at: usize, n: u32, power: f64): void {
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8) store<f64>(p, <f64>load<i64>(p) / power);
}

/** Writes the values times 2^k as integers. */
function fromBinary(at: usize, n: u32, k: i32, out: usize): void {
  const power = <f64>(<u64>1 << k);
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8, out += 8) store<i64>(out, <i64>(load<f64>(p) * power));
}

// ---- blocks ----------------------------------------------------------------------------------

/**
 * Encodes `n` points. `scratch` has room for 3·n integers; `out` for 32 + 17·n + n/4 bytes and 8 more.
 * Overwrites `times`. Returns the number of bytes written.
 */
export function encodeBlock(
  times: usize,
  values: usize,
  n: u32,
  scratch: usize,
  out: usize,
): usize {
  const bytes = <usize>n << 3;
  const spare = scratch + 2 * bytes;
  store<u32>(out, n);
  const timeOrder = bestOrder(times, n, spare);
  const at = packRun(times, n, timeOrder, out + 4);

  let best = scratch, other = scratch + bytes;
  const zeros = sharedZeros(values, n);
  fromBits(values, n, zeros, best);
  let mode = MODE_BITS;
  let parameter = <i32>zeros;
  let order = bestOrder(best, n, spare);
  let bits = runBits;
  const k = decimals(values, n, other);
  if (k >= 0) {
    const candidate = bestOrder(other, n, spare);
    if (runBits < bits) {
      bits = runBits;
      mode = MODE_DECIMAL;
      parameter = k;
      order = candidate;
      const swap = best;
      best = other;
      other = swap;
    }
  }
  const places = binaries(values, n);
  if (places >= 0) {
    fromBinary(values, n, places, other);
    const candidate = bestOrder(other, n, spare);
    if (runBits < bits) {
      mode = MODE_BINARY;
      parameter = places;
      order = candidate;
      best = other;
    }
  }
  store<u8>(at, mode);
  store<u8>(at, <u8>parameter, 1);
  return packRun(best, n, order, at + 2) - out;
}

/**
 * Decodes the block in `[src, end)` of `n` points, the number at its beginning. True if it is well
 * formed and ends there. Reads up to 8 bytes beyond `end`.
 */
export function decodeBlock(src: usize, end: usize, n: u32, times: usize, values: usize): bool {
  const at = unpackRun(src + 4, end, n, times);
  if (at == 0 || at + 2 > end) return false;
  const mode = load<u8>(at);
  const parameter: u32 = load<u8>(at, 1);
  if (unpackRun(at + 2, end, n, values) != end) return false;
  if (mode == MODE_BITS && parameter <= 52) {
    toBits(values, n, parameter);
    return true;
  }
  if (mode == MODE_DECIMAL && parameter <= MAX_DECIMALS) {
    unscale(values, n, load<f64>(POWERS + (<usize>parameter << 3)));
    return true;
  }
  if (mode == MODE_BINARY && parameter <= <u32>MAX_BINARY) {
    unscale(values, n, <f64>(<u64>1 << parameter));
    return true;
  }
  return false;
}
