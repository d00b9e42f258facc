/**
 * The devices that send datagrams to a port unasked, each with a decoder of its own.
 *
 * @module
 */

import type { ConfigurationBudget } from "./configuration_budget.ts";
import { ConfigurationMemory } from "./configuration_memory.ts";
import { type DecodeOptions, FrameDecoder } from "./frame_decoder.ts";
import { addCounts, type LinkCounts, noCounts } from "./link_statistics.ts";

/** Devices that are told apart. */
const MAX_DEVICES = 256;
/** Silence after which a device gives its place to any other one, ms. */
const SILENT_MS = 300_000;
/** Most bytes that the decoders of all devices keep: configurations, and frames that wait for one. */
const MAX_KEPT_BYTES = 128 << 20;

/** A device that sends datagrams. */
export interface SendingDevice {
  readonly address: string;
  readonly port: number;
  readonly decoder: FrameDecoder;
  /** Bytes that its decoder keeps. */
  keptBytes: number;
  /** Time of its last datagram, ms. */
  seenMs: number;
}

/**
 * Tells devices apart by address and port. Their number and memory are bounded; when there are too
 * many, one that has sent no whole frame goes first, so that noise keeps nobody out; then the address
 * that has the most of them loses one, so that one sender that changes its port does not either.
 */
export class SendingDevices {
  readonly #options: DecodeOptions;
  readonly #budget: ConfigurationBudget | undefined;
  readonly #devices = new Map<string, SendingDevice>();
  readonly #byAddress = new Map<string, Set<SendingDevice>>();
  /** Those that have sent no whole frame. */
  readonly #noise = new Set<SendingDevice>();
  #past: LinkCounts = noCounts();
  #keptBytes = 0;

  /**
   * No device yet.
   *
   * @param options Reading of frequency and times.
   * @param budget Of the configurations of all devices; unlimited if absent.
   */
  constructor(options: DecodeOptions, budget?: ConfigurationBudget) {
    this.#options = options;
    this.#budget = budget;
  }

  /** About how many bytes the decoders of all devices keep. */
  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** Counts of all devices, also of those that are forgotten. */
  get counts(): LinkCounts {
    let sum = this.#past;
    for (const { decoder } of this.#devices.values()) {
      sum = addCounts(sum, { ...decoder.counts, foreign: 0, outdated: 0 });
    }
    return sum;
  }

  /** The device that a datagram came from; a new one if there is a place, else `undefined`. */
  find(address: string, port: number): SendingDevice | undefined {
    const key = `${address}:${port}`;
    const known = this.#devices.get(key);
    if (known !== undefined) {
      known.seenMs = Date.now();
      return known;
    }
    if (this.#devices.size >= MAX_DEVICES && !this.#makePlace(address)) return undefined;
    const decoder = new FrameDecoder(this.#options, [""], new ConfigurationMemory(this.#budget));
    const device = { address, port, decoder, keptBytes: 0, seenMs: Date.now() };
    this.#devices.set(key, device);
    this.#noise.add(device);
    const own = this.#byAddress.get(address);
    if (own === undefined) this.#byAddress.set(address, new Set([device]));
    else own.add(device);
    return device;
  }

  /** Adds up what the decoder of a device keeps now, and forgets devices while all keep too much. */
  settle(device: SendingDevice): void {
    const { keptBytes } = device.decoder;
    if (this.#noise.has(device) && device.decoder.counts.frames > 0) this.#noise.delete(device);
    this.#keptBytes += keptBytes - device.keptBytes;
    device.keptBytes = keptBytes;
    while (this.#keptBytes > MAX_KEPT_BYTES) {
      const most = [...this.#largest(bytesOf)];
      this.#forget(most.reduce((a, b) => b.keptBytes > a.keptBytes ? b : a));
    }
  }

  /** Forgets a device for one of an address. A flood comes here with each datagram: nothing is copied. */
  #makePlace(address: string): boolean {
    const [noise] = this.#noise;
    if (noise !== undefined) return this.#forget(noise);
    const own = this.#byAddress.get(address)?.size ?? 0;
    const most = this.#largest(({ size }) => size);
    if (most.size > own + 1) return this.#forget(longestSilent(most));
    const longest = longestSilent(this.#devices.values());
    return Date.now() - longest.seenMs > SILENT_MS && this.#forget(longest);
  }

  /** The devices of the address for which a measure of them is largest. */
  #largest(measure: (devices: ReadonlySet<SendingDevice>) => number): ReadonlySet<SendingDevice> {
    let largest: ReadonlySet<SendingDevice> = new Set();
    let most = -1;
    for (const devices of this.#byAddress.values()) {
      const size = measure(devices);
      if (size > most) [largest, most] = [devices, size];
    }
    return largest;
  }

  #forget(device: SendingDevice): true {
    this.#past = addCounts(this.#past, { ...device.decoder.counts, foreign: 0, outdated: 0 });
    this.#keptBytes -= device.keptBytes;
    this.#devices.delete(`${device.address}:${device.port}`);
    this.#noise.delete(device);
    const own = this.#byAddress.get(device.address)!;
    own.delete(device);
    if (own.size === 0) this.#byAddress.delete(device.address);
    return true;
  }
}

/** The device whose last datagram is the oldest, of at least one. */
function longestSilent(devices: Iterable<SendingDevice>): SendingDevice {
  let longest: SendingDevice | undefined;
  for (const device of devices) {
    if (longest === undefined || device.seenMs < longest.seenMs) longest = device;
  }
  return longest!;
}

/** Bytes that the decoders of devices keep. */
function bytesOf(devices: Iterable<SendingDevice>): number {
  let sum = 0;
  for (const { keptBytes } of devices) sum += keptBytes;
  return sum;
}
