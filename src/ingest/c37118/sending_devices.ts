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
 * many, the address that has the most of them loses one first, so that one sender that changes its
 * port does not keep the others out.
 */
export class SendingDevices {
  readonly #options: DecodeOptions;
  readonly #budget: ConfigurationBudget | undefined;
  readonly #devices = new Map<string, SendingDevice>();
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
    return device;
  }

  /** Adds up what the decoder of a device keeps now, and forgets devices while all keep too much. */
  settle(device: SendingDevice): void {
    const { keptBytes } = device.decoder;
    this.#keptBytes += keptBytes - device.keptBytes;
    device.keptBytes = keptBytes;
    while (this.#keptBytes > MAX_KEPT_BYTES) {
      const [, most] = this.#largest(({ keptBytes }) => keptBytes);
      this.#forget(most.reduce((a, b) => b.keptBytes > a.keptBytes ? b : a));
    }
  }

  #makePlace(address: string): boolean {
    const silentFirst = (a: SendingDevice, b: SendingDevice) => b.seenMs < a.seenMs ? b : a;
    const all = [...this.#devices.values()];
    const own = all.filter((device) => device.address === address).length;
    const [, most] = this.#largest(() => 1);
    const longest = all.reduce(silentFirst);
    if (most.length > own + 1) this.#forget(most.reduce(silentFirst));
    else if (Date.now() - longest.seenMs > SILENT_MS) this.#forget(longest);
    else return false;
    return true;
  }

  /** The address whose devices have the largest sum of a measure, and these devices. */
  #largest(measure: (device: SendingDevice) => number): [number, SendingDevice[]] {
    const byAddress = Map.groupBy(this.#devices.values(), ({ address }) => address);
    let largest: [number, SendingDevice[]] = [-1, []];
    for (const devices of byAddress.values()) {
      const sum = devices.reduce((sum, device) => sum + measure(device), 0);
      if (sum > largest[0]) largest = [sum, devices];
    }
    return largest;
  }

  #forget(device: SendingDevice): void {
    this.#past = addCounts(this.#past, { ...device.decoder.counts, foreign: 0, outdated: 0 });
    this.#keptBytes -= device.keptBytes;
    this.#devices.delete(`${device.address}:${device.port}`);
  }
}
