/** Captures made in memory: frames, packets, capture files, and reading them. */

import {
  CaptureSource,
  encodeConfiguration,
  encodeValues,
  simulatedConfiguration,
  simulatedValues,
} from "../../src/ingest/c37118/mod.ts";
import { DataLayout } from "../../src/ingest/c37118/data_layout.ts";
import type { RawColumns } from "../../src/core/columns.ts";
import { START } from "../../src/ingest/source.ts";

/** All points of a source, by collection/name. */
export async function pointsOf(source: CaptureSource): Promise<Map<string, RawColumns>> {
  const all = new Map<string, { times: bigint[]; values: number[] }>();
  for await (const { columns } of source.batches(START)) {
    for (const [i, { times, values }] of columns.entries()) {
      const { collection, name } = source.columns[i]!;
      const key = `${collection}/${name}`;
      const points = all.get(key) ?? { times: [], values: [] };
      points.times.push(...times);
      points.values.push(...values);
      all.set(key, points);
    }
  }
  return new Map(
    [...all].map(([key, { times, values }]) => [key, {
      times: BigInt64Array.from(times),
      values: Float64Array.from(values),
    }]),
  );
}

/** One simulated second: configuration, then data. */
export function second(id: number, soc = 1_700_000_000, rate = 10): Uint8Array[] {
  const configuration = simulatedConfiguration({ id, rate });
  const layout = new DataLayout(configuration);
  const frames: Uint8Array[] = encodeConfiguration(configuration, { soc, fraction: 0 });
  for (let tick = 0; tick < rate; tick++) {
    const fraction = Math.trunc(tick * 1_000_000 / rate);
    frames.push(
      encodeValues(layout, simulatedValues(configuration, soc, tick, id), { soc, fraction }),
    );
  }
  return frames;
}

export const join = (pieces: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Uint8Array.from(pieces.flatMap((piece) => [...piece]));
export const u16 = (n: number): number[] => [n >> 8 & 255, n & 255];
export const u32 = (n: number): number[] => [...u16(n >>> 16), ...u16(n)];

/** Place of a packet: protocol, tags, ends, and numbers of TCP. */
export interface PacketOptions {
  udp?: boolean;
  v6?: boolean;
  vlans?: number;
  from?: number;
  port?: number;
  to?: number;
  sequence?: number;
  flags?: number;
}

/** TCP segment or UDP datagram in IPv4 or IPv6, in Ethernet with so many VLAN tags. */
export function packet(
  payload: Uint8Array,
  {
    udp = false,
    v6 = false,
    vlans = 0,
    from = 1,
    port = 4712,
    to = 2,
    sequence = 0,
    flags = 0x18,
  }: PacketOptions = {},
): Uint8Array {
  const transport = udp
    ? join([u16(port), u16(4713), u16(8 + payload.length), u16(0), payload])
    : join([
      u16(port),
      u16(5000 + to),
      u32(sequence),
      u32(0),
      [0x50, flags],
      u16(9),
      u32(0),
      payload,
    ]);
  const protocol = udp ? 17 : 6;
  const address = (n: number): number[] =>
    v6 ? [0xfe, 0x80, ...Array(13).fill(0), n] : [10, 0, 0, n];
  const ip = v6
    ? join([
      [0x60, 0, 0, 0],
      u16(transport.length),
      [protocol, 64],
      address(from),
      address(to),
      transport,
    ])
    : join([
      [0x45, 0],
      u16(20 + transport.length),
      [0, 1, 0x40, 0, 64, protocol, 0, 0],
      address(from),
      address(to),
      transport,
    ]);
  const tags = Array.from({ length: vlans }, () => [0x81, 0, 0, 7]).flat();
  return join([Array(12).fill(1), tags, u16(v6 ? 0x86dd : 0x0800), ip]);
}

export function pcap(packets: readonly Uint8Array[], linkType = 1): Uint8Array {
  const head = join([u32(0xa1b2c3d4), u16(2), u16(4), u32(0), u32(0), u32(65_535), u32(linkType)]);
  const records = packets.map((bytes) =>
    join([u32(0), u32(0), u32(bytes.length), u32(bytes.length), bytes])
  );
  return join([head, ...records]);
}

export function pcapng(packets: readonly Uint8Array[]): Uint8Array {
  const block = (type: number, body: Uint8Array): Uint8Array => {
    const padded = join([body, Array(-body.length & 3).fill(0)]);
    return join([u32(type), u32(padded.length + 12), padded, u32(padded.length + 12)]);
  };
  return join([
    block(0x0a0d0d0a, join([u32(0x1a2b3c4d), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff)])),
    block(1, join([u16(1), u16(0), u32(0)])),
    ...packets.map((bytes) =>
      block(6, join([u32(0), u32(0), u32(0), u32(bytes.length), u32(bytes.length), bytes]))
    ),
  ]);
}

export async function open(bytes: Uint8Array, chunk = 1000): Promise<CaptureSource> {
  return await CaptureSource.open({
    size: bytes.length,
    async *read() {
      for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
    },
  }, {});
}

/** Number of points of STAT of each station. */
export async function frames(source: CaptureSource): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const [key, { times }] of await pointsOf(source)) {
    if (key.endsWith("/STAT")) found[key.slice(0, -5)] = times.length;
  }
  return found;
}

/** The bytes cut into segments of 300 bytes, numbered from `first`. */
export function segments(
  bytes: Uint8Array,
  options: PacketOptions,
  first = 0xffff_ff00,
): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += 300) {
    const sequence = first + at >>> 0;
    all.push(packet(bytes.subarray(at, at + 300), { ...options, sequence }));
  }
  return all;
}
