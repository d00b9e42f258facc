/**
 * Parquet files made byte by byte, so that their metadata can say anything (parquet.thrift).
 *
 * @module
 */

/** A value of Thrift's compact protocol; a structure is an array of fields by their numbers. */
export type Thrift =
  | { i32: number }
  | { i64: bigint }
  | { bytes: Uint8Array | string }
  | { list: readonly Thrift[] }
  | { struct: Readonly<Record<number, Thrift>> }
  /** Bytes as they are, of a type. */
  | { raw: readonly number[]; type: number };

/** A page: its kind, its head and its bytes. */
export interface MadePage {
  /** 0: data, 2: a dictionary, 3: data of the second version. */
  kind: number;
  head: Readonly<Record<number, Thrift>>;
  bytes: Uint8Array;
  /** Bytes that it is said to unpack to. @default {the number of its bytes} */
  unpacked?: number;
  /** Further fields of the header. */
  more?: Readonly<Record<number, Thrift>>;
}

/** A column of one row group. */
export interface MadeColumn {
  name: string;
  /** 0: BOOLEAN, 1: INT32, 2: INT64, 3: INT96, 4: FLOAT, 5: DOUBLE, 6: BYTE_ARRAY, 7: fixed. */
  type: number;
  pages: readonly MadePage[];
  /** Fields of the element of the schema beside its type, its name and that it is required. */
  element?: Readonly<Record<number, Thrift>>;
  /** Number of the codec. @default {0, not compressed} */
  codec?: number;
  /** Fields of the metadata of the column that are others than right ones. */
  meta?: Readonly<Record<number, Thrift>>;
}

/** A page of values in PLAIN encoding. */
export function plainPage(values: number, bytes: Uint8Array, encoding = 0): MadePage {
  const head = { 1: { i32: values }, 2: { i32: encoding }, 3: { i32: 3 }, 4: { i32: 3 } };
  return { kind: 0, head, bytes };
}

/**
 * Makes a file of one row group.
 *
 * @param rows Number of rows that it is said to have.
 * @param more Fields of the footer that are others than right ones.
 */
export function makeParquet(
  rows: number,
  columns: readonly MadeColumn[],
  more: Readonly<Record<number, Thrift>> = {},
): Uint8Array {
  const parts: Uint8Array[] = [new TextEncoder().encode("PAR1")];
  let at = 4;
  const add = (bytes: Uint8Array) => {
    parts.push(bytes);
    at += bytes.length;
  };
  const chunks = columns.map(({ name, type, pages, codec = 0, meta = {} }): Thrift => {
    const start = at;
    let dictionary: Record<number, Thrift> = {};
    let data = start;
    for (const { kind, head, bytes, unpacked = bytes.length, more = {} } of pages) {
      if (kind === 2) dictionary = { 11: { i64: BigInt(at) } };
      const field = kind === 0 ? 5 : kind === 2 ? 7 : 8;
      add(encodeThrift({
        1: { i32: kind },
        2: { i32: unpacked },
        3: { i32: bytes.length },
        [field]: { struct: head },
        ...more,
      }));
      add(bytes);
      if (kind === 2) data = at;
    }
    return {
      struct: {
        2: { i64: BigInt(start) },
        3: {
          struct: {
            1: { i32: type },
            2: { list: [{ i32: 0 }] },
            3: { list: [{ bytes: name }] },
            4: { i32: codec },
            5: { i64: BigInt(rows) },
            6: { i64: BigInt(at - start) },
            7: { i64: BigInt(at - start) },
            9: { i64: BigInt(data) },
            ...dictionary,
            ...meta,
          },
        },
      },
    };
  });
  const elements = columns.map(({ name, type, element = {} }): Thrift => ({
    struct: { 1: { i32: type }, 3: { i32: 0 }, 4: { bytes: name }, ...element },
  }));
  const root: Thrift = { struct: { 4: { bytes: "schema" }, 5: { i32: columns.length } } };
  const group: Thrift = {
    struct: { 1: { list: chunks }, 2: { i64: BigInt(at) }, 3: { i64: BigInt(rows) } },
  };
  const footer = encodeThrift({
    1: { i32: 1 },
    2: { list: [root, ...elements] },
    3: { i64: BigInt(rows) },
    4: { list: [group] },
    ...more,
  });
  return withFooter(parts, footer);
}

/** A file of some bytes and a footer. */
export function withFooter(parts: readonly Uint8Array[], footer: Uint8Array): Uint8Array {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setUint32(0, footer.length, true);
  length.set(new TextEncoder().encode("PAR1"), 4);
  return Uint8Array.from([...parts, footer, length].flatMap((part) => [...part]));
}

/** A structure as bytes. */
export function encodeThrift(fields: Readonly<Record<number, Thrift>>): Uint8Array {
  return Uint8Array.from(structOf(fields));
}

function structOf(fields: Readonly<Record<number, Thrift>>): number[] {
  const out: number[] = [];
  let last = 0;
  for (const [key, value] of Object.entries(fields)) {
    const id = Number(key);
    const [type, bytes] = valueOf(value);
    if (id - last < 16) out.push((id - last) << 4 | type);
    else out.push(type, ...varint(BigInt(id) * 2n));
    out.push(...bytes);
    last = id;
  }
  return [...out, 0];
}

function valueOf(value: Thrift): [number, number[]] {
  if ("raw" in value) return [value.type, [...value.raw]];
  if ("i32" in value) return [5, varint(zigzag(BigInt(value.i32)))];
  if ("i64" in value) return [6, varint(zigzag(value.i64))];
  if ("struct" in value) return [12, structOf(value.struct)];
  if ("list" in value) {
    const items = value.list.map(valueOf);
    const type = items[0]?.[0] ?? 12;
    const head = items.length < 15
      ? [items.length << 4 | type]
      : [0xf0 | type, ...varint(BigInt(items.length))];
    return [9, [...head, ...items.flatMap(([, bytes]) => bytes)]];
  }
  const bytes = typeof value.bytes === "string"
    ? new TextEncoder().encode(value.bytes)
    : value.bytes;
  return [8, [...varint(BigInt(bytes.length)), ...bytes]];
}

function zigzag(value: bigint): bigint {
  return value < 0n ? -value * 2n - 1n : value * 2n;
}

/** An unsigned number in groups of 7 bits, the least significant first. */
export function varint(value: bigint): number[] {
  const out: number[] = [];
  for (; value > 127n; value >>= 7n) out.push(Number(value & 127n) | 128);
  return [...out, Number(value)];
}
