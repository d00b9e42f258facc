/**
 * Packets of capture files: pcap and pcapng, both byte orders.
 *
 * @module
 */

import { checkBytes } from "../../core/check_bytes.ts";

/** A packet, and the kind of network it was captured on (LINKTYPE_ of tcpdump.org). */
export interface Packet {
  readonly bytes: Uint8Array;
  readonly linkType: number;
}

/** Kinds of files that hold frames. */
export type CaptureKind = "pcap" | "pcapng" | "frames";

/** Largest packet that is read, bytes. */
const MAX_PACKET_BYTES = 1 << 22;
/** Most interfaces of a pcapng section. */
const MAX_INTERFACES = 65_536;

/** Kind of a capture by its first bytes, `undefined` if it is none. */
export function captureKindOf(start: Uint8Array): CaptureKind | undefined {
  checkBytes("tell the kind of a capture", "start", start);
  if (start.length < 4) return undefined;
  const view = new DataView(start.buffer, start.byteOffset, start.length);
  const magic = view.getUint32(0);
  if ([0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1].includes(magic)) return "pcap";
  if (magic === 0x0a0d0d0a) return "pcapng";
  return start[0] === 0xaa && start[1]! < 0x60 && [1, 2, 3].includes(start[1]! & 15)
    ? "frames"
    : undefined;
}

/** Takes bytes in pieces and gives them in records of known sizes. */
class ByteQueue {
  #bytes = new Uint8Array(1 << 16);
  #start = 0;
  #end = 0;
  /** Bytes taken out so far. */
  taken = 0;

  /** Number of bytes there are. */
  get length(): number {
    return this.#end - this.#start;
  }

  push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#bytes.length) {
      const size = this.length + chunk.length;
      const target = size > this.#bytes.length / 2 ? new Uint8Array(2 * size) : this.#bytes;
      target.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = target;
      this.#end -= this.#start;
      this.#start = 0;
    }
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The first bytes, which stay. */
  peek(size: number): DataView {
    return new DataView(this.#bytes.buffer, this.#start, size);
  }

  /** The first bytes; only valid until the next `push`. */
  take(size: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.#start, this.#start + size);
    this.#start += size;
    this.taken += size;
    return bytes;
  }
}

/** Reads packets from the bytes of a capture file, in any pieces. */
export class PacketReader {
  readonly #queue = new ByteQueue();
  readonly #isNg: boolean;
  #littleEndian = true;
  #linkType: number | undefined;
  #interfaces: number[] = [];

  /** @param kind Kind of the file. */
  constructor(kind: "pcap" | "pcapng") {
    this.#isNg = kind === "pcapng";
  }

  /** Number of bytes of a record that is cut off. */
  get pendingBytes(): number {
    return this.#queue.length;
  }

  /**
   * Takes bytes.
   *
   * @returns The packets that are whole now; their bytes are only valid until the next call.
   * @throws {RangeError} If the file is malformed.
   */
  *push(chunk: Uint8Array): Generator<Packet> {
    this.#queue.push(chunk);
    if (this.#isNg) yield* this.#blocks();
    else yield* this.#records();
  }

  *#records(): Generator<Packet> {
    const queue = this.#queue;
    if (this.#linkType === undefined) {
      if (queue.length < 24) return;
      const view = queue.peek(24);
      this.#littleEndian = (view.getUint8(0) & 0xf0) === 0xd0 || view.getUint8(0) === 0x4d;
      // The upper bits say whether frames have a checksum behind them.
      this.#linkType = view.getUint32(20, this.#littleEndian) & 0xffff;
      queue.take(24);
    }
    while (queue.length >= 16) {
      const size = queue.peek(16).getUint32(8, this.#littleEndian);
      checkSize(size, queue.taken);
      if (queue.length < 16 + size) return;
      queue.take(16);
      yield { bytes: queue.take(size), linkType: this.#linkType };
    }
  }

  *#blocks(): Generator<Packet> {
    const queue = this.#queue;
    while (queue.length >= 12) {
      const view = queue.peek(12);
      const isSection = view.getUint32(0) === 0x0a0d0d0a;
      if (isSection) {
        const order = view.getUint32(8);
        if (order !== 0x4d3c2b1a && order !== 0x1a2b3c4d) {
          throw new RangeError(
            `Cannot read the capture: the section at byte ${queue.taken} has no byte order`,
          );
        }
        this.#littleEndian = order === 0x4d3c2b1a;
        this.#interfaces = [];
      }
      const type = view.getUint32(0, this.#littleEndian);
      const size = view.getUint32(4, this.#littleEndian);
      if (size < 12 || size % 4 !== 0) {
        throw new RangeError(
          `Cannot read the capture: a block at byte ${queue.taken} has ${size} bytes`,
        );
      }
      checkSize(size, queue.taken);
      if (queue.length < size) return;
      const at = queue.taken;
      const bytes = queue.take(size);
      const end = new DataView(bytes.buffer, bytes.byteOffset + size - 4, 4);
      if (end.getUint32(0, this.#littleEndian) !== size) {
        throw new RangeError(
          `Cannot read the capture: the block at byte ${at} does not end as it begins`,
        );
      }
      const packet = isSection ? undefined : this.#block(type, bytes, at);
      if (packet !== undefined) yield packet;
    }
  }

  #block(type: number, bytes: Uint8Array, at: number): Packet | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const little = this.#littleEndian;
    if (type === 1 && bytes.length >= 20) {
      if (this.#interfaces.length >= MAX_INTERFACES) {
        throw new RangeError(`Cannot read the capture: more than ${MAX_INTERFACES} interfaces`);
      }
      this.#interfaces.push(view.getUint16(8, little));
      return undefined;
    }
    // Simple, enhanced, and the packet block of old.
    if (type === 3 && bytes.length >= 16) {
      const size = Math.min(view.getUint32(8, little), bytes.length - 16);
      return { bytes: bytes.subarray(12, 12 + size), linkType: this.#interfaces[0] ?? 1 };
    }
    if ((type === 6 || type === 2) && bytes.length >= 32) {
      const index = type === 6 ? view.getUint32(8, little) : view.getUint16(8, little);
      const size = view.getUint32(20, little);
      if (size > bytes.length - 32) {
        throw new RangeError(
          `Cannot read the capture: the packet at byte ${at} has ${size} bytes, ` +
            `its block has room for ${bytes.length - 32}`,
        );
      }
      const linkType = this.#interfaces[index];
      if (linkType === undefined) {
        throw new RangeError(`Cannot read the capture: there is no interface ${index}`);
      }
      return { bytes: bytes.subarray(28, 28 + size), linkType };
    }
    return undefined;
  }
}

function checkSize(size: number, at: number): void {
  if (size <= MAX_PACKET_BYTES) return;
  throw new RangeError(
    `Cannot read the capture: a packet at byte ${at} has ${size} bytes, ` +
      `expected at most ${MAX_PACKET_BYTES}`,
  );
}
