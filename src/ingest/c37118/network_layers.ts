/**
 * Extracts TCP and UDP payloads from captured packets: Ethernet with VLAN tags, Linux cooked
 * captures, BSD loopback, raw IP; IPv4 and IPv6 with fragments.
 *
 * @module
 */

import type { Packet } from "./packet_file.ts";

/** Payload of one TCP segment or UDP datagram. */
export interface Segment {
  readonly protocol: "tcp" | "udp";
  /** `address:port`. */
  readonly source: string;
  readonly destination: string;
  /** Address alone. */
  readonly sourceAddress: string;
  readonly destinationAddress: string;
  readonly payload: Uint8Array;
  /** Sequence number of the first byte, and the flags; TCP only. */
  readonly sequence: number;
  readonly flags: number;
}

const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_IPV6 = 0x86dd;
/** VLAN tags: 802.1Q, 802.1ad and its forerunners. */
const VLAN_TYPES: readonly number[] = [0x8100, 0x88a8, 0x9100, 0x9200];
const TCP = 6;
const UDP = 17;
/** IPv6 headers that may come before TCP or UDP: hop by hop, routing, destination options. */
const IPV6_OPTIONS: readonly number[] = [0, 43, 60];
const IPV6_FRAGMENT = 44;

/** Most datagrams whose fragments are collected at a time. */
const MAX_FRAGMENTED = 64;
/** Most fragments of a datagram. */
const MAX_FRAGMENTS = 1024;
/** Largest datagram, bytes. */
const MAX_DATAGRAM_BYTES = 65_535;
/** Most kinds of unknown networks that are counted apart. */
const MAX_FOREIGN = 16;

/** Datagram in fragments. */
interface Fragments {
  parts: { at: number; bytes: Uint8Array }[];
  size: number | undefined;
}

interface Datagram {
  protocol: number;
  source: string;
  destination: string;
  bytes: Uint8Array;
}

/** Reads the layers of packets; keeps the fragments of datagrams until they are whole. */
export class NetworkReader {
  readonly #fragments = new Map<string, Fragments>();
  #lostFragments = 0;
  /** Packets of which the capture kept only a beginning. */
  cut = 0;
  /** Packets whose lengths do not fit to each other. */
  damaged = 0;
  /** Packets of networks that cannot be read, by their LINKTYPE_. */
  readonly foreign: Map<number, number> = new Map();

  /** Reads a packet; returns its TCP or UDP payload if the packet completes one. */
  read(packet: Packet): Segment | undefined {
    const datagram = this.#datagram(packet);
    if (datagram === undefined || ![TCP, UDP].includes(datagram.protocol)) return undefined;
    const segment = segmentOf(datagram);
    if (segment === undefined) this.damaged++;
    return segment;
  }

  /** Datagrams of which fragments are missing so far, or do not fit. */
  get incomplete(): number {
    return this.#lostFragments + this.#fragments.size;
  }

  #datagram({ bytes, linkType }: Packet): Datagram | undefined {
    const found = networkLayer(bytes, linkType);
    if (found === undefined) {
      if (this.foreign.size < MAX_FOREIGN || this.foreign.has(linkType)) {
        this.foreign.set(linkType, (this.foreign.get(linkType) ?? 0) + 1);
      }
      return undefined;
    }
    if (found === "cut") return void this.cut++;
    const [type, at] = found;
    const rest = bytes.subarray(at);
    if (type === ETHERTYPE_IPV4) return this.#ipv4(rest);
    return type === ETHERTYPE_IPV6 ? this.#ipv6(rest) : undefined;
  }

  #ipv4(bytes: Uint8Array): Datagram | undefined {
    if (bytes.length < 20) return void this.cut++;
    if (bytes[0]! >> 4 !== 4) return void this.damaged++;
    const view = viewOf(bytes);
    const header = (bytes[0]! & 15) * 4;
    // Offloading leaves the total length 0.
    const total = view.getUint16(2) || bytes.length;
    if (header < 20 || total < header) return void this.damaged++;
    if (bytes.length < total) return void this.cut++;
    const [source, destination] = [
      bytes.subarray(12, 16).join("."),
      bytes.subarray(16, 20).join("."),
    ];
    const word = view.getUint16(6);
    const protocol = bytes[9]!;
    const payload = bytes.subarray(header, total);
    const key = `${source} ${destination} ${protocol} ${view.getUint16(4)}`;
    const whole = this.#join(key, (word & 0x1fff) * 8, (word & 0x2000) !== 0, payload);
    return whole && { protocol, source, destination, bytes: whole };
  }

  #ipv6(bytes: Uint8Array): Datagram | undefined {
    if (bytes.length < 40) return void this.cut++;
    if (bytes[0]! >> 4 !== 6) return void this.damaged++;
    const view = viewOf(bytes);
    const end = 40 + (view.getUint16(4) || bytes.length - 40);
    if (bytes.length < end) return void this.cut++;
    const [source, destination] = [ipv6Text(view, 8), ipv6Text(view, 24)];
    const [protocol, at] = withoutOptions(bytes.subarray(0, end), bytes[6]!, 40);
    if (at > end) return void this.damaged++;
    const rest = bytes.subarray(at, end);
    if (protocol !== IPV6_FRAGMENT) return { protocol, source, destination, bytes: rest };
    if (rest.length < 8) return void this.damaged++;
    const word = view.getUint16(at + 2);
    const key = `${source} ${destination} ${view.getUint32(at + 4)}`;
    const whole = this.#join(key, word & 0xfff8, (word & 1) !== 0, rest.subarray(8));
    if (whole === undefined) return undefined;
    // Destination options may be in the fragmented part too.
    const [inner, start] = withoutOptions(whole, rest[0]!, 0);
    if (start > whole.length) return void this.damaged++;
    return { protocol: inner, source, destination, bytes: whole.subarray(start) };
  }

  /** A datagram that is whole, from one of its fragments. */
  #join(key: string, at: number, isMore: boolean, bytes: Uint8Array): Uint8Array | undefined {
    if (at === 0 && !isMore) return bytes;
    const fragments: Fragments = this.#fragments.get(key) ?? { parts: [], size: undefined };
    this.#fragments.delete(key);
    const { parts } = fragments;
    const kept = parts.reduce((sum, part) => sum + part.bytes.length, 0);
    if (
      at + bytes.length > MAX_DATAGRAM_BYTES || parts.length > MAX_FRAGMENTS ||
      kept > 2 * MAX_DATAGRAM_BYTES
    ) return void this.#lostFragments++;
    if (!parts.some((part) => part.at === at && part.bytes.length === bytes.length)) {
      parts.push({ at, bytes: bytes.slice() });
    }
    if (!isMore) fragments.size = at + bytes.length;
    if (fragments.size !== undefined && covered(parts) >= fragments.size) {
      const whole = new Uint8Array(fragments.size);
      for (const part of parts) {
        if (part.at + part.bytes.length <= whole.length) whole.set(part.bytes, part.at);
      }
      return whole;
    }
    const [oldest] = this.#fragments.keys();
    if (this.#fragments.size >= MAX_FRAGMENTED) {
      this.#fragments.delete(oldest!);
      this.#lostFragments++;
    }
    this.#fragments.set(key, fragments);
    return undefined;
  }
}

/** Bytes from the beginning on that fragments hold without a hole; they may overlap. */
function covered(parts: readonly { at: number; bytes: Uint8Array }[]): number {
  let end = 0;
  for (const part of parts.toSorted((a, b) => a.at - b.at)) {
    if (part.at > end) break;
    end = Math.max(end, part.at + part.bytes.length);
  }
  return end;
}

/** Passes over headers that may come before TCP, UDP or a fragment; returns what follows, and where. */
function withoutOptions(
  bytes: Uint8Array,
  first: number,
  start: number,
): [protocol: number, at: number] {
  let [protocol, at] = [first, start];
  while (IPV6_OPTIONS.includes(protocol) && at + 8 <= bytes.length) {
    protocol = bytes[at]!;
    at += (bytes[at + 1]! + 1) * 8;
  }
  return [protocol, at];
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** EtherType of a packet's network layer, and where it begins; `undefined` of unknown networks. */
function networkLayer(bytes: Uint8Array, linkType: number): [number, number] | "cut" | undefined {
  const view = viewOf(bytes);
  const byVersion = (at: number): [number, number] | "cut" =>
    bytes.length <= at ? "cut" : [bytes[at]! >> 4 === 6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4, at];
  switch (linkType) {
    case 1: // Ethernet
      return bytes.length < 14 ? "cut" : tagged(view, 12);
    case 113: // Linux cooked
      return bytes.length < 16 ? "cut" : tagged(view, 14);
    case 276: // Linux cooked, version 2
      return bytes.length < 20 ? "cut" : [view.getUint16(0), 20];
    case 0: // BSD loopback
    case 108:
      return byVersion(4);
    case 12: // raw IP
    case 14:
    case 101:
    case 228:
    case 229:
      return byVersion(0);
    default:
      return undefined;
  }
}

/** Passes over VLAN tags. */
function tagged(view: DataView, start: number): [number, number] {
  let at = start;
  while (at + 6 <= view.byteLength && VLAN_TYPES.includes(view.getUint16(at))) at += 4;
  return [view.getUint16(at), at + 2];
}

function ipv6Text(view: DataView, at: number): string {
  const words = Array.from({ length: 8 }, (_, i) => view.getUint16(at + 2 * i).toString(16));
  return `[${words.join(":").replace(/\b0(:0)+\b/, ":").replace(/:{3,}/, "::")}]`;
}

/** Payload of a datagram of TCP or UDP; `undefined` if its lengths do not fit. */
function segmentOf({ protocol, source, destination, bytes }: Datagram): Segment | undefined {
  if (bytes.length < 8) return undefined;
  const view = viewOf(bytes);
  const ends = {
    source: `${source}:${view.getUint16(0)}`,
    destination: `${destination}:${view.getUint16(2)}`,
    sourceAddress: source,
    destinationAddress: destination,
  };
  if (protocol === UDP) {
    const size = view.getUint16(4) || bytes.length;
    if (size < 8 || size > bytes.length) return undefined;
    const payload = bytes.subarray(8, size);
    return { protocol: "udp", ...ends, payload, sequence: 0, flags: 0 };
  }
  const header = bytes.length < 20 ? 0 : (bytes[12]! >> 4) * 4;
  if (header < 20 || header > bytes.length) return undefined;
  return {
    protocol: "tcp",
    ...ends,
    payload: bytes.subarray(header),
    sequence: view.getUint32(4),
    flags: bytes[13]!,
  };
}
