/**
 * A protobuf reader in plain TypeScript that goes by the letter of the encoding, one field at a time,
 * and a writer that uses every freedom the encoding gives. They hold the kernel's decoder to account.
 *
 * @module
 */

/** One field as it stands on the wire; a group's value is its bytes up to the end tag. */
export interface Field {
  number: number;
  wire: number;
  value: bigint | Uint8Array;
}

/** Thrown for bytes that are not protobuf. */
export class NotProtobuf extends Error {}

/** A point's fields of 8 bytes, by field number from 1, as bits. */
export type PointBits = bigint[];

class Cursor {
  readonly #bytes: Uint8Array;
  pos = 0;
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get done(): boolean {
    return this.pos === this.#bytes.length;
  }
  take(n: number | bigint): Uint8Array {
    if (BigInt(this.pos) + BigInt(n) > BigInt(this.#bytes.length)) throw new NotProtobuf();
    this.pos += Number(n);
    return this.#bytes.subarray(this.pos - Number(n), this.pos);
  }
  varint(): bigint {
    let value = 0n;
    for (let i = 0n; i < 10n; i++) {
      const byte = this.take(1)[0]!;
      value += BigInt(byte % 128) << (7n * i);
      if (byte < 128) return value % (1n << 64n);
    }
    throw new NotProtobuf();
  }
  little(n: number): bigint {
    return this.take(n).reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
  }
  field(depth: number): Field {
    const tag = this.varint();
    if (tag < 8n || tag >= 1n << 32n) throw new NotProtobuf();
    const number = Number(tag >> 3n), wire = Number(tag & 7n);
    if (wire === 0) return { number, wire, value: this.varint() };
    if (wire === 1) return { number, wire, value: this.little(8) };
    if (wire === 5) return { number, wire, value: this.little(4) };
    if (wire === 2) return { number, wire, value: this.take(this.varint()) };
    if (wire === 4) return { number, wire, value: 0n };
    if (wire !== 3 || depth === 100) throw new NotProtobuf();
    const start = this.pos;
    while (true) {
      const end = this.pos;
      const inner = this.field(depth + 1);
      if (inner.wire !== 4) continue;
      if (inner.number !== number) throw new NotProtobuf();
      return { number, wire, value: this.#bytes.subarray(start, end) };
    }
  }
}

/** All fields of a message. */
export function fields(bytes: Uint8Array): Field[] {
  const cursor = new Cursor(bytes);
  const all: Field[] = [];
  while (!cursor.done) {
    const field = cursor.field(0);
    if (field.wire === 4) throw new NotProtobuf();
    all.push(field);
  }
  return all;
}

/** The bits of the 8-byte fields 1 to `known` of a point; the last of each counts. */
export function pointBits(bytes: Uint8Array, known: number): PointBits {
  const bits: PointBits = Array(known).fill(0n);
  for (const { number, wire, value } of fields(bytes)) {
    if (wire === 1 && number <= known) bits[number - 1] = value as bigint;
  }
  return bits;
}

/** A response as the reference reads it. */
export interface ReferenceResponse {
  code: number;
  message: string;
  major: bigint;
  minor: bigint;
  points: PointBits[];
}

/** Reads a RawValues (`known` 2) or windows (`known` 6) response. */
export function referenceResponse(bytes: Uint8Array, known: number): ReferenceResponse {
  const response: ReferenceResponse = { code: 0, message: "", major: 0n, minor: 0n, points: [] };
  for (const { number, wire, value } of fields(bytes)) {
    if (number === 1 && wire === 2) {
      for (const inner of fields(value as Uint8Array)) {
        if (inner.number === 1 && inner.wire === 0) {
          response.code = Number((inner.value as bigint) % (1n << 32n));
        }
        if (inner.number === 2 && inner.wire === 2) {
          response.message = new TextDecoder().decode(inner.value as Uint8Array);
        }
      }
    }
    if (number === 2 && wire === 0) response.major = value as bigint;
    if (number === 3 && wire === 0) response.minor = value as bigint;
    if (number === 4 && wire === 2) response.points.push(pointBits(value as Uint8Array, known));
  }
  return response;
}

/** A varint in `size` bytes, or as few as it takes if that is more. */
export function varint(value: bigint, size = 1): number[] {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, value);
  while (rest > 127n || out.length + 1 < size) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return [...out, Number(rest)];
}

/** 8 bytes, lowest first. */
export function fixed64(value: bigint): number[] {
  return Array.from(
    { length: 8 },
    (_, i) => Number((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 255n),
  );
}

/** A field of any wire type; `padding` bytes are added to its tag and its length. */
export function field(
  number: number,
  wire: number,
  value: number[] | bigint,
  padding = 0,
): number[] {
  const tag = (type: number) => varint(BigInt(number * 8 + type), 1 + padding);
  if (wire === 0) return [...tag(0), ...varint(value as bigint, 1 + padding)];
  if (wire === 1) return [...tag(1), ...fixed64(value as bigint)];
  if (wire === 5) return [...tag(5), ...fixed64(value as bigint).slice(0, 4)];
  if (wire === 3) return [...tag(3), ...(value as number[]), ...tag(4)];
  const bytes = value as number[];
  return [...tag(2), ...varint(BigInt(bytes.length), 1 + padding), ...bytes];
}
