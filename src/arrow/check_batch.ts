/**
 * Checks the metadata of record batches against their schema: what is left out, moved or of another
 * length would give other numbers, or fewer.
 *
 * @module
 */

import { invalid, quotedName } from "./arrow_error.ts";
import { type FlatBuffer, inside, isZeros } from "./flat_buffer.ts";
import type { BufferLayout, ColumnLayout } from "./schema_layout.ts";

/** Bytes of the structs in vectors. */
const NODE_BYTES = 16;
const BUFFER_BYTES = 16;

/** Writers make buffers longer than their rows need, up to a multiple of so many bytes. */
const ALIGNMENT = 64;

/** Most bytes behind the last buffer, zeros but for the first ones: some align to a page of memory. */
const MAX_BODY_PADDING = 1 << 16;

/** Bytes in front of a compressed buffer, which say its length when unpacked. */
const LENGTH_BYTES = 8;

/** A compressed buffer of a batch. */
export interface CompressedBuffer {
  /** 0: LZ4 frame, 1: ZSTD. */
  readonly codec: number;
  /** Its bytes, with their length when unpacked before them. */
  readonly bytes: Uint8Array;
}

/** The contents of a batch. */
export interface BatchParts {
  /** Rows that it says to have. */
  readonly rows: number;
  /** Columns, and what is below them. */
  readonly parts: number;
  /** Buffers that are compressed. */
  readonly compressed: readonly CompressedBuffer[];
}

/**
 * Checks a batch.
 *
 * @param buffer Its message.
 * @param batch Its table there.
 * @param body The bytes of its buffers.
 * @param columns The columns that it has by its schema.
 * @throws {RangeError} If something is outside of the message.
 * @throws {BTrDBError} 438 if it is not what its schema says.
 */
export function checkBatch(
  buffer: FlatBuffer,
  batch: number,
  body: Uint8Array,
  columns: readonly ColumnLayout[],
): BatchParts {
  const rows = buffer.long(batch, 0);
  if (rows < 0) throw invalid(`a batch says that it has ${rows} rows`);
  const lengths = buffer.longs(batch, 1, NODE_BYTES);
  const nulls = buffer.longs(batch, 1, NODE_BYTES, 8);
  const expected = columns.reduce((sum, { nodes }) => sum + nodes.length, 0);
  if (lengths.length !== expected) {
    throw invalid(`a batch has ${lengths.length} columns, its schema ${expected}`);
  }
  const buffers = new Buffers(buffer, batch, body);
  const variadic = buffer.longs(batch, 4, 8);
  let node = 0, views = 0;
  for (const { name, nodes } of columns) {
    if (lengths[node] !== rows) {
      throw invalid(`column ${quoted(name)} has ${lengths[node]} rows in a batch of ${rows}`);
    }
    for (const { buffers: layouts, isVariadic } of nodes) {
      const length = lengths[node]!, nullCount = nulls[node]!;
      node++;
      if (!(length >= 0 && nullCount >= 0 && nullCount <= length)) {
        throw invalid(
          `column ${quoted(name)} says that it has ${nullCount} nulls in ${length} rows`,
        );
      }
      for (const layout of layouts) {
        checkLength(name, buffers.next(name), layout, length, nullCount);
      }
      if (isVariadic) buffers.skip(variadic[views++] ?? 0);
    }
  }
  buffers.checkEnd();
  // Metadata that are too long by some bytes would begin the buffers that much later.
  buffer.checkEnd();
  return { rows, parts: expected, compressed: buffers.compressed };
}

/** Checks the bytes of a buffer, unpacked. */
function checkLength(
  name: () => string,
  bytes: number,
  { kind, bits }: BufferLayout,
  rows: number,
  nullCount: number,
): void {
  if (kind === "other" || (kind === "validity" && bytes === 0 && nullCount === 0)) return;
  const needed = kind === "offsets" ? (rows === 0 ? 0 : rows + 1) : rows;
  const least = Math.ceil(needed * bits / 8);
  if (bytes < least) {
    throw invalid(
      `column ${
        quoted(name)
      } is shorter than it says: a buffer of ${bytes} bytes for ${rows} rows, ` +
        `expected at least ${least}`,
    );
  }
  if (kind === "values" && bytes > Math.ceil(Math.max(1, least) / ALIGNMENT) * ALIGNMENT) {
    throw invalid(
      `column ${
        quoted(name)
      } is longer than it says: a buffer of ${bytes} bytes for ${rows} rows, ` +
        `expected ${least}`,
    );
  }
}

function quoted(name: () => string): string {
  return quotedName(name());
}

/** The buffers of a batch, one after another. */
class Buffers {
  readonly compressed: CompressedBuffer[] = [];
  readonly #body: Uint8Array;
  /** Unpacked lengths. */
  readonly #lengths: number[] = [];
  #next = 0;

  constructor(buffer: FlatBuffer, batch: number, body: Uint8Array) {
    this.#body = body;
    const offsets = buffer.longs(batch, 2, BUFFER_BYTES);
    const lengths = buffer.longs(batch, 2, BUFFER_BYTES, 8);
    const compression = buffer.child(batch, 3);
    let end = 0;
    offsets.forEach((offset, i) => {
      const length = lengths[i]!;
      if (offset < 0 || length < 0) {
        throw new RangeError(`a buffer of ${length} bytes at ${offset}`);
      }
      inside(offset + length, body.length);
      if (length > 0 && offset < end) throw invalid("the buffers of a batch lie in each other");
      if (length > 0) end = offset + length;
      if (compression === 0 || length === 0) {
        this.#lengths.push(length);
        return;
      }
      const bytes = body.subarray(offset, offset + length);
      this.#lengths.push(unpackedLength(bytes));
      this.compressed.push({ codec: buffer.byte(compression, 0), bytes });
    });
    // A length that is too great would take the batches behind this one for a part of it.
    const rest = body.subarray(end);
    if (rest.length > MAX_BODY_PADDING || !isZeros(rest.subarray(ALIGNMENT))) {
      throw invalid(`a batch has ${body.length} bytes, and its buffers end at byte ${end}`);
    }
  }

  /** Length of the next one, unpacked. */
  next(name: () => string): number {
    const length = this.#lengths[this.#next++];
    if (length !== undefined) return length;
    throw invalid(
      `a batch has ${this.#lengths.length} buffers, too few for column ${quoted(name)}`,
    );
  }

  /** Passes over some of them. */
  skip(count: number): void {
    this.#next += inside(Math.max(0, count), this.#lengths.length - this.#next);
  }

  /** Checks that nothing is left out. */
  checkEnd(): void {
    for (let i = this.#next; i < this.#lengths.length; i++) {
      if (this.#lengths[i]! <= 0) continue;
      throw invalid(`a batch has ${this.#lengths.length} buffers, its schema ${this.#next}`);
    }
  }
}

function unpackedLength(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigInt64(0, true));
  // -1: not compressed, because that was shorter.
  return length === -1 ? bytes.length - LENGTH_BYTES : length;
}
