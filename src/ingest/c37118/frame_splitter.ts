/**
 * Finds frames in bytes that may be cut anywhere and hold garbage.
 *
 * @module
 */

import { crcOfRange, crcPrefixes } from "./crc.ts";
import { CHECKSUM_BYTES, frameTypeOf, MAX_FRAME_BYTES, MIN_FRAME_BYTES } from "./frame_header.ts";

/** Counts of what was found. */
export interface SplitCounts {
  /** Frames with a good checksum. */
  frames: number;
  /** Frames with a bad checksum, at the place where one was expected. */
  badCrc: number;
  /** Bytes that belong to no good frame. */
  skippedBytes: number;
}

/** Bytes of the buffer at first, and at most: a largest frame that is not complete, and as much again. */
const FIRST_BYTES = 4096;
const BUFFER_BYTES = 2 * (MAX_FRAME_BYTES + 1);
/** A larger buffer is given back at the end: each device that sends datagrams has one. */
const RESTING_BYTES = 1 << 14;
/** Bytes that must come before an incomplete frame is searched for others. */
const SEARCH_BYTES = 1024;

/** Receives a frame: the buffer it is in, its first byte, and behind its last one. */
export type FrameReceiver = (view: DataView, start: number, end: number) => void;

/**
 * Cuts a stream of bytes into frames. A frame begins with its sync word and ends with a good
 * checksum; everything else is passed over byte by byte. A size that is a lie does not hold up what
 * comes after it: where two good frames follow each other inside a frame that is not complete, it was
 * none. Memory is bounded, and the work is bounded for every byte.
 */
export class FrameSplitter {
  readonly counts: SplitCounts = { frames: 0, badCrc: 0, skippedBytes: 0 };
  #buffer = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#buffer.buffer);
  #prefixes = new Uint16Array(FIRST_BYTES + 1);
  #start = 0;
  #end = 0;
  #searchedEnd = 0;
  #inSync = true;

  /**
   * Takes bytes.
   *
   * @param chunk Any number of bytes.
   * @param emit Receives each frame, whose bytes are only valid during the call.
   */
  push(chunk: Uint8Array, emit: FrameReceiver): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#end === this.#buffer.length) this.#makeRoom();
      const part = chunk.subarray(at, at + this.#buffer.length - this.#end);
      this.#buffer.set(part, this.#end);
      crcPrefixes(this.#buffer, this.#prefixes, this.#end, this.#end + part.length);
      this.#end += part.length;
      at += part.length;
      this.#scan(emit, false);
    }
  }

  /** Takes the end of the stream: searches an incomplete frame for others, and begins anew. */
  end(emit: FrameReceiver): void {
    this.#scan(emit, true);
    this.counts.skippedBytes += this.#end - this.#start;
    this.#start = this.#end = this.#searchedEnd = 0;
    this.#inSync = true;
    if (this.#buffer.length > RESTING_BYTES) this.#allocate(FIRST_BYTES);
  }

  #allocate(bytes: number): void {
    this.#buffer = new Uint8Array(bytes);
    this.#view = new DataView(this.#buffer.buffer);
    this.#prefixes = new Uint16Array(bytes + 1);
  }

  /** Number of bytes kept because they may begin a frame. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  #makeRoom(): void {
    const shift = this.#start;
    const size = Math.min(BUFFER_BYTES, 2 * this.#buffer.length);
    if (2 * shift < this.#buffer.length && size > this.#buffer.length) {
      const [buffer, prefixes] = [this.#buffer, this.#prefixes];
      this.#allocate(size);
      this.#buffer.set(buffer);
      this.#prefixes.set(prefixes);
      return;
    }
    this.#buffer.copyWithin(0, shift, this.#end);
    this.#prefixes.copyWithin(0, shift, this.#end + 1);
    this.#start = 0;
    this.#end -= shift;
    this.#searchedEnd = Math.max(0, this.#searchedEnd - shift);
  }

  #scan(emit: FrameReceiver, isLast: boolean): void {
    while (this.#end - this.#start >= MIN_FRAME_BYTES) {
      const size = this.#sizeAt(this.#start);
      if (size === 0) this.#skip();
      else if (this.#start + size <= this.#end) {
        if (this.#isGood(this.#start, size)) {
          const start = this.#start;
          this.#start += size;
          this.#inSync = true;
          this.counts.frames++;
          emit(this.#view, start, start + size);
        } else {
          if (this.#inSync) this.counts.badCrc++;
          this.#skip();
        }
      } else if (isLast) this.#skip();
      else if (!this.#search()) break;
    }
    if (this.#start === this.#end) this.#start = this.#end = this.#searchedEnd = 0;
  }

  #skip(): void {
    this.#start++;
    this.counts.skippedBytes++;
    this.#inSync = false;
  }

  /** Size of the frame that may begin at a place, 0 if none does. */
  #sizeAt(at: number): number {
    if (this.#end - at < MIN_FRAME_BYTES) return 0;
    if (frameTypeOf(this.#buffer[at]!, this.#buffer[at + 1]!) === undefined) return 0;
    const size = this.#view.getUint16(at + 2);
    return size < MIN_FRAME_BYTES ? 0 : size;
  }

  #isGood(at: number, size: number): boolean {
    const end = at + size - CHECKSUM_BYTES;
    return crcOfRange(this.#prefixes, at, end) === this.#view.getUint16(end);
  }

  /** Looks for two good frames in a row inside an incomplete one; goes there if there are. */
  #search(): boolean {
    if (this.#end - Math.max(this.#searchedEnd, this.#start) < SEARCH_BYTES) return false;
    this.#searchedEnd = this.#end;
    for (let at = this.#start + 1; at < this.#end - 2 * MIN_FRAME_BYTES; at++) {
      const size = this.#sizeAt(at);
      if (size === 0 || at + size >= this.#end || !this.#isGood(at, size)) continue;
      const next = this.#sizeAt(at + size);
      if (next === 0 || at + size + next > this.#end || !this.#isGood(at + size, next)) continue;
      this.counts.skippedBytes += at - this.#start;
      if (this.#inSync) this.counts.badCrc++;
      this.#start = at;
      this.#inSync = false;
      return true;
    }
    return false;
  }
}
