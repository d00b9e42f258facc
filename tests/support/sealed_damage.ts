/**
 * Damage that passes the first checks of a format: checksums and lengths are made to fit again, so that
 * what is behind them meets the damage too.
 *
 * @module
 */

import { crcCcitt } from "../../src/ingest/c37118/mod.ts";
import { damaged, NASTY } from "./fuzzing.ts";
import type { Random } from "./random.ts";

/** Bytes of a C37.118 frame before its content, and of the checksum behind it. */
const HEADER_BYTES = 14;
const CHECKSUM_BYTES = 2;

/** Type of data frames in the second byte of a frame. */
const DATA_FRAME = 0;

/** Numbers of 16 bits at which arithmetic goes wrong. */
const EDGES = [0, 1, 0x7f80, 0x7fff, 0x8000, 0xff80, 0xffff];

/** Bytes from the length of the footer of a Parquet file to its end. */
const FOOTER_LENGTH = 8;

/** C37.118 frames that stand one behind the other. */
export function splitFrames(bytes: Uint8Array): Uint8Array[] {
  const frames: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    const size = view.getUint16(at + 2);
    frames.push(bytes.subarray(at, at + size));
    at += size;
  }
  return frames;
}

/** True for a frame of data, false for one of a configuration, a header or a command. */
export function isDataFrame(frame: Uint8Array): boolean {
  return (frame[1]! >> 4 & 7) === DATA_FRAME;
}

/** A frame with other content, and with the size and the checksum of it. */
function sealedFrame(head: Uint8Array, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = HEADER_BYTES + content.length + CHECKSUM_BYTES;
  const frame = new Uint8Array(size);
  frame.set(head.subarray(0, HEADER_BYTES));
  frame.set(content, HEADER_BYTES);
  const view = new DataView(frame.buffer);
  view.setUint16(2, size);
  view.setUint16(size - CHECKSUM_BYTES, crcCcitt(frame, 0, size - CHECKSUM_BYTES));
  return frame;
}

/** A C37.118 frame whose content is changed and of the same length; size and checksum fit. */
export function changedFrame(frame: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  const content = frame.slice(HEADER_BYTES, frame.length - CHECKSUM_BYTES);
  for (let i = random.int(1, 3); i > 0; i--) {
    const at = random.int(0, content.length - 2);
    if (random.chance(0.5)) content[at]! ^= 1 << random.int(0, 7);
    else new DataView(content.buffer).setUint16(at & ~1, random.pick(EDGES));
  }
  return sealedFrame(frame, content);
}

/** A C37.118 frame with any damage of its header and content; size and checksum fit. */
export function damagedFrame(frame: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  if (random.chance(0.6)) return changedFrame(frame, random);
  const head = frame.slice(0, HEADER_BYTES);
  if (random.chance(0.3)) head[random.int(4, HEADER_BYTES - 1)] = random.int(0, 255);
  const content = damaged(frame.subarray(HEADER_BYTES, frame.length - CHECKSUM_BYTES), random);
  return sealedFrame(head, content.subarray(0, 60_000));
}

/** A Parquet file whose footer is damaged, and of which the length of the footer is right. */
export function damagedFooter(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  const end = bytes.length - FOOTER_LENGTH;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(end, true);
  const footer = damaged(bytes.subarray(end - length, end), random);
  const all = new Uint8Array(end - length + footer.length + FOOTER_LENGTH);
  all.set(bytes.subarray(0, end - length));
  all.set(footer, end - length);
  new DataView(all.buffer).setUint32(all.length - FOOTER_LENGTH, footer.length, true);
  all.set(bytes.subarray(end + 4), all.length - 4);
  return all;
}

/** A text of which some fields are others: numbers that parsers get wrong, nothing, or neighbours. */
export function otherFields(bytes: Uint8Array, random: Random): Uint8Array<ArrayBuffer> {
  const fields = new TextDecoder("latin1").decode(bytes).split(/([,;\t\n])/);
  for (let i = random.int(1, 4); i > 0; i--) {
    // Separators are between the fields.
    const at = 2 *
      random.int(0, (random.chance(0.5) ? Math.min(fields.length, 40) : fields.length) >> 1);
    const others = [...NASTY, "", fields[2 * random.int(0, fields.length >> 1)] ?? ""];
    fields[at] = random.pick(others);
  }
  return Uint8Array.from(fields.join(""), (character) => character.charCodeAt(0) & 0xff);
}
