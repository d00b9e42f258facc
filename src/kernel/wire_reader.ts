/**
 * Protobuf fields one at a time, exactly: what stands around the runs of points in a message.
 *
 * @module
 */

import { BTrDBError } from "../core/errors.ts";

/** Wire types of protobuf. */
export const Wire = {
  Varint: 0,
  Fixed64: 1,
  Bytes: 2,
  StartGroup: 3,
  EndGroup: 4,
  Fixed32: 5,
} as const;

/** Deepest nesting of groups that is followed. */
const MAX_GROUPS = 100;

/** Most fields of a message that are read here, those of parts and groups included: no peer sends more. */
const MAX_FIELDS = 100_000;

/** Most fields of a part or group, which is read in one step. */
const PART_FIELDS = 4_096;

/** Fields that the readers of one message have read. */
interface FieldCount {
  fields: number;
}

const TEXT = new TextDecoder();

/** A cursor over the bytes of one message. */
export class WireReader {
  readonly bytes: Uint8Array;
  /** Name of the message that is read, for errors. */
  readonly what: string;
  /** Next byte to be read. */
  pos: number;
  /** End of the message, exclusive. */
  readonly end: number;
  /** Fields read so far, those of parts and groups included. */
  readonly count: FieldCount;
  #most = MAX_FIELDS;

  constructor(
    bytes: Uint8Array,
    what: string,
    pos = 0,
    end: number = bytes.length,
    count: FieldCount = { fields: 0 },
  ) {
    this.bytes = bytes;
    this.what = what;
    this.pos = pos;
    this.end = end;
    this.count = count;
  }

  /** The error for bytes that are not what they should be. */
  malformed(why: string, at: number = this.pos): BTrDBError {
    return new BTrDBError(
      `Cannot decode ${this.what}: ${why} at byte ${at} of ${this.bytes.length}`,
      {
        status: "INTERNAL",
      },
    );
  }

  /** A varint of up to 10 bytes; bits beyond the 64th are dropped. */
  uint64(): bigint {
    const start = this.pos;
    let value = 0n;
    for (let i = 0; i < 10; i++) {
      if (this.pos >= this.end) throw this.malformed("a varint is cut short", start);
      const byte = this.bytes[this.pos++]!;
      value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw this.malformed("a varint is longer than 10 bytes", start);
  }

  /** The low 32 bits of a varint. */
  uint32(): number {
    const byte = this.bytes[this.pos];
    if (byte !== undefined && byte < 0x80 && this.pos < this.end) {
      this.pos++;
      return byte;
    }
    return Number(BigInt.asUintN(32, this.uint64()));
  }

  /** The low 32 bits of a varint, signed. */
  int32(): number {
    return this.uint32() | 0;
  }

  /** The tag of the next field: field number times 8 plus wire type. */
  tag(): number {
    const start = this.pos;
    if (++this.count.fields > this.#most) {
      throw this.malformed(
        `more than ${MAX_FIELDS} fields, or ${PART_FIELDS} in one`,
      );
    }
    const tag = this.uint64();
    if (tag < 8n || tag > 0xffffffffn) throw this.malformed("a tag is out of range", start);
    return Number(tag);
  }

  /** Length of a length-delimited field, the cursor left on its first byte. */
  #length(): number {
    const start = this.pos;
    const length = this.uint64();
    if (length > BigInt(this.end - this.pos)) throw this.malformed("a field is cut short", start);
    return Number(length);
  }

  /** A reader of the length-delimited field at the cursor, which moves behind it. */
  message(): WireReader {
    const length = this.#length();
    this.pos += length;
    const part = new WireReader(this.bytes, this.what, this.pos - length, this.pos, this.count);
    part.#most = this.count.fields + PART_FIELDS;
    return part;
  }

  /** A copy of the length-delimited field at the cursor, of its first bytes if it is longer. */
  copy(mostBytes: number = Infinity): Uint8Array<ArrayBuffer> {
    const { pos, end } = this.message();
    return this.bytes.slice(pos, Math.min(end, pos + mostBytes)) as Uint8Array<ArrayBuffer>;
  }

  /** The length-delimited field at the cursor as text. */
  text(): string {
    const { pos, end } = this.message();
    return TEXT.decode(this.bytes.subarray(pos, end));
  }

  /** Moves over the rest of a field whose tag was `tag`; groups to their end. */
  skip(tag: number): void {
    const most = this.#most;
    this.#most = this.count.fields + PART_FIELDS;
    const groups: number[] = [];
    for (let open = tag;; open = this.tag()) {
      const wire = open & 7;
      if (wire === Wire.Varint) this.uint64();
      else if (wire === Wire.Fixed64) this.#advance(8);
      else if (wire === Wire.Fixed32) this.#advance(4);
      else if (wire === Wire.Bytes) this.#advance(this.#length());
      else if (wire === Wire.StartGroup) {
        if (groups.length === MAX_GROUPS) throw this.malformed("groups are nested too deep");
        groups.push(open >>> 3);
      } else if (wire !== Wire.EndGroup) throw this.malformed(`wire type ${wire} does not exist`);
      else if (groups.pop() !== open >>> 3) throw this.malformed("a group ends that did not begin");
      if (groups.length === 0) break;
    }
    this.#most = most;
  }

  #advance(bytes: number): void {
    if (this.end - this.pos < bytes) throw this.malformed("a field is cut short");
    this.pos += bytes;
  }
}
