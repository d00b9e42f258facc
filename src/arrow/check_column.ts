/**
 * Checks what the buffers of a column say of each other once they are unpacked: a decoder would take
 * values for nulls, nulls for values, and other parts of a text, in silence.
 *
 * @module
 */

import { type Column, Type } from "@uwdata/flechette";
import { invalid, quotedName } from "./arrow_error.ts";

/** The values of a column in one batch. */
type ColumnBatch = Column<unknown>["data"][number];

/**
 * Checks a batch of a column of numbers, times or texts.
 *
 * @param name Name of the column.
 * @param batch The batch.
 * @throws {BTrDBError} 438 if its nulls are not those that it counts, it is shorter than it says, a
 * text is outside of its texts, or a value is outside of its dictionary.
 */
export function checkColumnBatch(name: string, batch: ColumnBatch): void {
  const { type, length, offsets, values } = batch;
  checkNulls(name, batch);
  switch (type.typeId) {
    case Type.Utf8:
    case Type.LargeUtf8:
      checkOffsets(name, offsets as Int32Array | BigInt64Array | undefined, length, sizeOf(values));
      break;
    case Type.Utf8View:
      checkViews(name, batch as ColumnBatch & Views);
      break;
    case Type.Dictionary:
      checkDictionary(name, batch as ColumnBatch & Indices);
      break;
  }
}

/** Checks that as many bits say that there is no value as the batch counts nulls. */
function checkNulls(name: string, { type, length, nullCount, validity }: ColumnBatch): void {
  // All values are null where there are no bits to say so.
  if (type.typeId === Type.Null) return;
  const bits = validity instanceof Uint8Array ? validity : new Uint8Array();
  const isPresent = bits.length > 0;
  if (isPresent && bits.length * 8 < length) {
    throw invalid(
      `column ${quotedName(name)} is shorter than it says: ${bits.length} bytes tell which of ` +
        `${length} rows are null`,
    );
  }
  const nulls = isPresent ? length - countOnes(bits, length) : 0;
  if (nulls === nullCount) return;
  throw invalid(`column ${quotedName(name)} says that it has ${nullCount} nulls, and has ${nulls}`);
}

/** Number of ones among the first bits. */
function countOnes(bits: Uint8Array, length: number): number {
  let ones = 0;
  const whole = length >> 3;
  for (let i = 0; i < whole; i++) ones += ONES[bits[i]!]!;
  const rest = length & 7;
  return rest === 0 ? ones : ones + ONES[bits[whole]! & ((1 << rest) - 1)]!;
}

/** Number of ones in each byte. */
const ONES: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let bits = byte; bits > 0; bits >>= 1) ones += bits & 1;
  return ones;
});

/** Checks that texts follow each other, and are inside of their bytes. */
function checkOffsets(
  name: string,
  offsets: Int32Array | BigInt64Array | undefined,
  length: number,
  bytes: number,
): void {
  if (length === 0) return;
  if (offsets === undefined || offsets.length <= length) {
    throw invalid(`column ${quotedName(name)} is shorter than it says`);
  }
  let last: number | bigint = 0;
  for (let i = 0; i <= length; i++) {
    const offset = offsets[i]!;
    if (offset >= last && offset <= bytes) last = offset;
    else {
      throw invalid(
        `column ${quotedName(name)} has a text at byte ${offset}, expected ${last} to ${bytes}`,
      );
    }
  }
}

/** The buffers of a batch of texts that may lie in several of them. */
interface Views {
  readonly data: readonly Uint8Array[];
}

/** Bytes of a view, and of a text that is in it. */
const VIEW_BYTES = 16;
const INLINE_BYTES = 12;

/** Checks that texts are inside of the buffer that their view names. */
function checkViews(name: string, batch: ColumnBatch & Views): void {
  const { buffer, byteOffset, byteLength } = batch.values as Uint8Array;
  const view = new DataView(buffer, byteOffset, byteLength);
  for (let i = 0; i < batch.length; i++) {
    const length = view.getInt32(VIEW_BYTES * i, true);
    if (length >= 0 && length <= INLINE_BYTES) continue;
    if (batch.nullCount > 0 && !batch.isValid(i)) continue;
    const bytes = batch.data[view.getInt32(VIEW_BYTES * i + 8, true)]?.length ?? 0;
    const offset = view.getInt32(VIEW_BYTES * i + 12, true);
    if (length >= 0 && offset >= 0 && offset + length <= bytes) continue;
    throw invalid(
      `column ${quotedName(name)} has a text of ${length} bytes at byte ${offset} of ${bytes}`,
    );
  }
}

/** The dictionary of a batch of indices. */
interface Indices {
  readonly dictionary: Column<unknown>;
}

/** Dictionaries that were checked: those of the batches of a table are the same. */
const checked = new WeakSet<object>();

function checkDictionary(name: string, { dictionary }: Indices): void {
  if (checked.has(dictionary)) return;
  for (const batch of dictionary.data) checkColumnBatch(name, batch);
  checked.add(dictionary);
}

function sizeOf(buffer: unknown): number {
  return ArrayBuffer.isView(buffer) ? buffer.byteLength : 0;
}
