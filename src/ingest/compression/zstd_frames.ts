/**
 * Zstandard frames (RFC 8878), found without decompressing them.
 *
 * @module
 */

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;

/** Tells whether bytes begin with a skippable frame (RFC 8878, section 3.1.2). */
export function isSkippable(head: Uint8Array): boolean {
  return head.length >= 4 && (u32(head, 0) & 0xfffffff0) >>> 0 === SKIPPABLE;
}

/**
 * Splits compressed bytes into their frames; skippable ones are left out.
 *
 * @param chunks The compressed bytes.
 * @returns The bytes of one frame after the other; each is read to its end before the next.
 * @throws {Error} If the bytes end within a frame, or what follows a frame is none.
 */
export async function* zstdFrames(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<AsyncIterable<Uint8Array>, void, void> {
  const reader = new ByteReader(chunks);
  while (await reader.more()) {
    const magic = u32(await reader.peek(4), 0);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      const size = u32(await reader.peek(8), 4);
      for await (const _ of reader.take(8 + size)) { /* Its bytes mean nothing here. */ }
    } else if (magic === MAGIC) {
      yield frame(reader);
    } else {
      throw new Error(`there is no frame at byte ${reader.at}`);
    }
  }
}

/** The bytes of a frame: header, blocks, checksum (RFC 8878, section 3.1.1). */
async function* frame(reader: ByteReader): AsyncGenerator<Uint8Array, void, void> {
  const descriptor = (await reader.peek(5))[4]!;
  const single = descriptor >> 5 & 1;
  const dictionary = [0, 1, 2, 4][descriptor & 3]!;
  const content = [single, 2, 4, 8][descriptor >> 6]!;
  yield* reader.take(5 + (1 - single) + dictionary + content);
  for (let last = false; !last;) {
    const [a, b, c] = await reader.peek(3) as unknown as [number, number, number];
    const header = a | b << 8 | c << 16;
    last = (header & 1) === 1;
    const type = header >> 1 & 3;
    if (type === 3) throw new Error(`a block at byte ${reader.at} has no known type`);
    // A block of a repeated byte has one byte.
    yield* reader.take(3 + (type === 1 ? 1 : header >> 3));
  }
  if ((descriptor & 4) !== 0) yield* reader.take(4);
}

/** Bytes in pieces, by number. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #buffer: Uint8Array = new Uint8Array(0);
  #done = false;
  /** Bytes taken so far. */
  at = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Tells whether there is another byte. */
  async more(): Promise<boolean> {
    while (this.#buffer.length === 0 && !this.#done) await this.#read();
    return this.#buffer.length > 0;
  }

  /** The next `count` bytes, which are not taken. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.#buffer.length < count) {
      if (this.#done) throw this.#cutOff();
      await this.#read();
    }
    return this.#buffer.subarray(0, count);
  }

  /** Takes `count` bytes. */
  async *take(count: number): AsyncGenerator<Uint8Array, void, void> {
    for (let left = count; left > 0;) {
      if (!await this.more()) throw this.#cutOff();
      const piece = this.#buffer.subarray(0, left);
      this.#buffer = this.#buffer.subarray(piece.length);
      this.at += piece.length;
      left -= piece.length;
      yield piece;
    }
  }

  async #read(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done) {
      this.#done = true;
      return;
    }
    if (this.#buffer.length === 0) {
      this.#buffer = next.value;
      return;
    }
    const joined = new Uint8Array(this.#buffer.length + next.value.length);
    joined.set(this.#buffer);
    joined.set(next.value, this.#buffer.length);
    this.#buffer = joined;
  }

  #cutOff(): Error {
    return new Error(`it is cut off after ${this.at + this.#buffer.length} bytes`);
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24) >>> 0;
}
