/**
 * LZ4 frames, as Arrow compresses buffers ("LZ4 Frame Format Description" 1.6.4, "LZ4 Block Format
 * Description").
 *
 * @module
 */

const MAGIC = 0x184d2204;
/** Set in the size of a block that is not compressed. */
const STORED = 0x80000000;

/** Bytes that are decompressed in one step. */
const STEP_BYTES = 1 << 18;

/** Blocks, of any length, that are looked at in one step. */
const STEP_BLOCKS = 4096;

/**
 * Decompresses a frame, in steps.
 *
 * @param bytes The frame.
 * @param length Bytes that it decompresses to.
 * @returns Yields between steps.
 * @throws {RangeError} If it does not.
 */
export function* decompressLz4InSteps(
  bytes: Uint8Array,
  length: number,
): Generator<undefined, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 7 || view.getUint32(0, true) !== MAGIC) throw damaged("it has no LZ4 frame");
  const flags = bytes[4]!;
  const withSize = (flags & 8) !== 0;
  const withDictionary = (flags & 1) !== 0;
  const withBlockChecksum = (flags & 16) !== 0;
  let at = 7 + (withSize ? 8 : 0) + (withDictionary ? 4 : 0);
  const out = new Uint8Array(length);
  let filled = 0;
  for (let blocks = 1;; blocks++) {
    if (blocks % STEP_BLOCKS === 0) yield;
    if (at + 4 > bytes.length) throw damaged("an LZ4 frame is cut off");
    const size = view.getUint32(at, true);
    at += 4;
    if (size === 0) break;
    const isStored = size >= STORED;
    const end = at + (isStored ? size - STORED : size);
    if (end > bytes.length) throw damaged("an LZ4 frame is cut off");
    if (isStored) {
      if (filled + end - at > length) throw damaged("an LZ4 frame is longer than it says");
      yield* copyInSteps(bytes, at, end, out, filled);
      filled += end - at;
    } else {
      filled = yield* decompressBlock(bytes, at, end, out, filled);
    }
    at = end + (withBlockChecksum ? 4 : 0);
  }
  if (filled !== length) throw damaged(`an LZ4 frame has ${filled} bytes of ${length}`);
  return out;
}

/** Decompresses a block to `out` from `to` on, where earlier blocks stand before; its new end. */
function* decompressBlock(
  bytes: Uint8Array,
  from: number,
  end: number,
  out: Uint8Array,
  to: number,
): Generator<undefined, number> {
  let at = from;
  let due = to + STEP_BYTES;
  while (at < end) {
    const token = bytes[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && at < end && literals <= out.length) literals += more = bytes[at++]!;
    }
    if (at + literals > end || to + literals > out.length) {
      throw damaged("an LZ4 block is not whole");
    }
    if (literals > SHORT) {
      yield* copyInSteps(bytes, at, at + literals, out, to);
      at += literals;
      to += literals;
      due = to + STEP_BYTES;
    } else {
      for (const stop = at + literals; at < stop;) out[to++] = bytes[at++]!;
    }
    // The last sequence has no match.
    if (at === end) break;
    const distance = bytes[at]! | bytes[at + 1]! << 8;
    at += 2;
    let match = token & 15;
    if (match === 15) {
      let more = 255;
      while (more === 255 && at < end && match <= out.length) match += more = bytes[at++]!;
    }
    match += 4;
    if (distance === 0 || distance > to || at > end || to + match > out.length) {
      throw damaged("an LZ4 block refers to what is not there");
    }
    for (const stop = to + match; to < stop;) {
      const pause = Math.min(stop, due);
      for (; to < pause; to++) out[to] = out[to - distance]!;
      if (to < due) continue;
      due = to + STEP_BYTES;
      yield;
    }
  }
  return to;
}

/** Literals that are copied one by one. */
const SHORT = 64;

/** Copies bytes to `to`. */
function* copyInSteps(
  bytes: Uint8Array,
  from: number,
  end: number,
  out: Uint8Array,
  to: number,
): Generator<undefined, void> {
  for (let at = from; at < end; at += STEP_BYTES) {
    if (at > from) yield;
    out.set(bytes.subarray(at, Math.min(end, at + STEP_BYTES)), to + at - from);
  }
}

function damaged(what: string): RangeError {
  return new RangeError(`Cannot decompress: ${what}`);
}
