// Points as compressed bytes, without loss: what the engine keeps in its leaves and its journal.
//
//   block    = count: u32, times: run, mode: u8, parameter: u8, values: run
//   run      = order: u8, the first `order` integers: i64, then miniblocks of 64 integers (the last
//              may be shorter)
//   miniblock = width: u8, baseBytes: u8, base: that many bytes, then the integers minus the base,
//               `width` bits each, least significant first
//
// A run holds 64-bit integers, differenced `order` times (0, 1 or 2), modulo 2^64. Each miniblock is packed against its smallest integer (frame of reference; Zukowski et al.,
// "Super-Scalar RAM-CPU Cache Compression", 2006); the base is kept as its zigzag difference from
// the base before it. Values become integers in one of three ways, whichever is shortest:
//
//   mode 0   the bits of the double, in order of value, less `parameter` trailing zero bits
//   mode 1   the value times 10^parameter, where that is exact
//   mode 2   the value times 2^parameter, where that is exact
//
// The idea of trying decimals is that of Afroozeh, Kuffo and Boncz, "ALP: Adaptive Lossless
// floating-Point Compression" (2023).

const MINI: u32 = 64;
const MODE_BITS: u8 = 0;
const MODE_DECIMAL: u8 = 1;
const MODE_BINARY: u8 = 2;
const MAX_DECIMALS: u32 = 12;
const MAX_BINARY: i32 = 60;
const MAX_EXACT: f64 = 9007199254740992;
const SIGN: u64 = 0x8000000000000000;

const POWERS = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]);

// ---- runs ------------------------------------------------------------------------------------

@inline
function zigzag(v: i64): u64 {
  return (<u64>v << 1) ^ <u64>(v >> 63);
}

@inline
function unzigzag(v: u64): i64 {
  return <i64>(v >> 1) ^ -<i64>(v & 1);
}

/** Bytes that hold `v`. */
@inline
function byteWidth(v: u64): u32 {
  return (71 - <u32>clz(v)) >> 3;
}

/** Replaces `n` integers by their differences, the first by itself. */
function difference(at: usize, n: u32): void {
  let last: i64 = 0;
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8) {
    const v = load<i64>(p);
    store<i64>(p, v - last);
    last = v;
  }
}

/** Undoes `difference`. */
function accumulate(at: usize, n: u32): void {
  let sum: i64 = 0;
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8) {
    sum += load<i64>(p);
    store<i64>(p, sum);
  }
}

let low: i64 = 0;
let high: i64 = 0;

/** Smallest and largest of `n >= 1` integers. */
@inline
function extent(at: usize, n: u32): void {
  let min = load<i64>(at), max = min;
  const end = at + (<usize>n << 3);
  for (let p = at + 8; p < end; p += 8) {
    const v = load<i64>(p);
    min = v < min ? v : min;
    max = v > max ? v : max;
  }
  low = min;
  high = max;
}

/** Bits it takes to pack `n` integers as they are. */
function packedBits(at: usize, n: u32): u64 {
  let bits: u64 = 0;
  let base: i64 = 0;
  for (let i: u32 = 0; i < n; i += MINI) {
    const m = min(MINI, n - i);
    extent(at + (<usize>i << 3), m);
    bits += (64 - clz(<u64>(high - low))) * m + 16 + 8 * byteWidth(zigzag(low - base));
    base = low;
  }
  return bits;
}

/** Packs `n` integers, differenced already, to `out`; the end of what was written. */
function packRun(at: usize, n: u32, order: u8, out: usize): usize {
  store<u8>(out++, order);
  for (let k: u8 = 0; k < order; k++, at += 8, out += 8, n--) store<i64>(out, load<i64>(at));
  let base: i64 = 0;
  for (let i: u32 = 0; i < n; i += MINI) {
    const p = at + (<usize>i << 3);
    const m = min(MINI, n - i);
    extent(p, m);
    const width = 64 - <u32>clz(<u64>(high - low));
    const step = zigzag(low - base);
    const bytes = byteWidth(step);
    base = low;
    store<u8>(out, <u8>width);
    store<u8>(out, <u8>bytes, 1);
    store<u64>(out + 2, step);
    out = packBits(p, m, width, out + 2 + bytes);
  }
  return out;
}

/** Packs `n` integers minus `low`, `width` bits each. */
function packBits(at: usize, n: u32, width: u32, out: usize): usize {
  if (width == 0) return out;
  let word: u64 = 0;
  let used: u32 = 0;
  const end = at + (<usize>n << 3);
  for (let p = at; p < end; p += 8) {
    const v = <u64>(load<i64>(p) - low);
    word |= v << used;
    used += width;
    if (used >= 64) {
      store<u64>(out, word);
      out += 8;
      used -= 64;
      word = used == 0 ? 0 : v >> (width - used);
    }
  }
  store<u64>(out, word);
  return out + ((used + 7) >> 3);
}

/**
 * Unpacks a run of `n` integers, undoing the differences; the end of what was read, 0 if the run
 * does not end by `end`. Reads up to 8 bytes beyond `end`.
 */
function unpackRun(src: usize, end: usize, n: u32, at: usize): usize {
  if (src >= end) return 0;
  const order = load<u8>(src++);
  if (order > 2 || order > n || src + (<usize>order << 3) > end) return 0;
  for (let k: u8 = 0; k < order; k++, src += 8) store<i64>(at + (<usize>k << 3), load<i64>(src));
  const first = at;
  at += <usize>order << 3;
  const left = n - order;
  let base: i64 = 0;
  for (let i: u32 = 0; i < left; i += MINI) {
    const m = min(MINI, left - i);
    if (src + 2 > end) return 0;
    const width: u32 = load<u8>(src);
    const bytes: u32 = load<u8>(src, 1);
    if (width > 64 || bytes > 8) return 0;
    src += 2;
    const data = src + bytes;
    const next = data + ((<usize>m * width + 7) >> 3);
    if (next > end) return 0;
    if (bytes != 0) base += unzigzag(load<u64>(src) & (<u64>-1 >> (64 - 8 * bytes)));
    unpackBits(data, m, width, base, at + (<usize>i << 3));
    src = next;
  }
  for (let k: u8 = 0; k < order; k++) accumulate(first, n);
  return src;
}

/** Unpacks `n` integers of `width` bits and adds `base`. */
function unpackBits(src: usize, n: u32, width: u32, base: i64, at: usize): void {
  const end = at + (<usize>n << 3);
  if (width == 0) {
    for (let p = at; p < end; p += 8) store<i64>(p, base);
    return;
  }
  const mask: u64 = <u64>-1 >> (64 - width);
  let bit: usize = 0;
  if (width <= 57) {
    for (let p = at; p < end; p += 8) {
      const v = load<u64>(src + (bit >> 3)) >> (bit & 7);
      store<i64>(p, base + <i64>(v & mask));
      bit += width;
    }
    return;
  }
  for (let p = at; p < end; p += 8) {
    const q = src + (bit >> 3);
    const shift = bit & 7;
    let v = load<u64>(q) >> shift;
    if (shift != 0) v |= <u64>load<u8>(q, 8) << (64 - shift);
    store<i64>(p, base + <i64>(v & mask));
    bit += width;
  }
}

/** Differences `n` integers as often as makes them shortest; the order, and their size in bits. */
let runBits: u64 = 0;
function bestOrder(at: usize, n: u32, spare: usize): u8 {
  const bytes = <usize>n << 3;
  let best = packedBits(at, n);
  let order: u8 = 0;
  memory.copy(spare, at, bytes);
  const most: u8 = n > 2 ? 2 : <u8>n - 1;
  for (let k: u8 = 1; k <= most; k++) {
    difference(spare, n);
    const bits = packedBits(spare + (<usize>k << 3), n - k) + 64 * k;
    if (bits < best) {
      best = bits;
      order = k;
    }
  }
  runBits = best;
  for (let k: u8 = 0; k < order; k++) difference(at, n);
  return order;
}

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
 * Decodes the block in `[src, end)` of `n` points, the number at its beginning. Whether it is well
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
