/**
 * One connection to a PMU or PDC, by any of the four ways of Annex F.
 *
 * @module
 */

import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { connect, type Socket } from "node:net";
import { abortable, type CallOptions, delay, onAbort } from "../../core/call.ts";
import { BTrDBError } from "../../core/errors.ts";
import { socketsSeen } from "../../core/event_loop.ts";
import type { Configuration } from "./configuration.ts";
import { ConfigurationBudget } from "./configuration_budget.ts";
import { ConfigurationChanges } from "./configuration_changes.ts";
import { ConfigurationMemory } from "./configuration_memory.ts";
import { encodeCommand, type PmuCommand } from "./encode_frame.ts";
import {
  type DecodeOptions,
  type Frame,
  FrameDecoder,
  type RawDataFrame,
} from "./frame_decoder.ts";
import { addCounts, type LinkCounts } from "./link_statistics.ts";
import type { PmuTarget } from "./pmu_target.ts";
import { type SendingDevice, SendingDevices } from "./sending_devices.ts";

/** Receivers of what a link gives. */
export interface LinkHandlers {
  /**
   * A data frame; its bytes are only valid during the call. Unasked datagrams come with the device
   * that sent them.
   */
  onData(raw: RawDataFrame, decoder: FrameDecoder, device: SendingDevice | undefined): void;
  /** Any other frame. */
  onFrame(frame: Frame): void;
  /** No configuration came after an announced change: data of the stream are read by the old one. */
  onOutdated?(idcode: number): void;
  /** A configuration was left out, as more of them come in datagrams than can be read. */
  onOverrun(): void;
  /** The link is broken, or was closed; once. */
  onClose(reason: Error | undefined): void;
}

/** Time for the answer to a command, ms; devices read one command at a time. */
const COMMAND_GAP_MS = 300;
/** Time after which the configuration is asked for again, ms. */
const CONFIGURATION_MS = 3_000;
/** Requests for the configuration before the link is given up. */
const CONFIGURATION_TRIES = 4;
/** Work on the bytes of a connection after which the others are looked at, ms. */
const SLICE_MS = 4;
/** Time without data after which the link is given up, ms, and in frames. */
const IDLE_MS = 10_000;
const IDLE_FRAMES = 5;
/** A connection that is set up, asked for data, and watched. */
export class PmuLink {
  readonly #target: PmuTarget;
  readonly #handlers: LinkHandlers;
  readonly #options: DecodeOptions;
  readonly #decoder: FrameDecoder;
  readonly #devices: SendingDevices;
  /** Addresses of the device that is asked. */
  readonly #addresses = new Set<string>();
  #foreign = 0;
  #foreignAddress: string | undefined;
  #tcp: Socket | undefined;
  #udp: DatagramSocket | undefined;
  #isOpen = true;
  /** True while who takes the data cannot keep more, and while other connections have their turn. */
  #isHeldBack = false;
  #isResting = false;
  #workMs = 0;
  #isConfigured = false;
  readonly #changes = new ConfigurationChanges();
  #changeAnnounced = false;
  /** Times at which frames began to wait for the next configuration, ms; -Infinity if they no longer do. */
  readonly #outdatedMs = new WeakMap<Configuration, number>();
  #outdated = 0;
  #badSeen = 0;
  #mismatched = 0;
  #askedMs = 0;
  #dataMs: number = Date.now();
  #idleMs = IDLE_MS;
  #watch: ReturnType<typeof setInterval> | undefined;

  private constructor(target: PmuTarget, options: DecodeOptions, handlers: LinkHandlers) {
    this.#target = target;
    this.#options = options;
    this.#handlers = handlers;
    const budget = new ConfigurationBudget(() => handlers.onOverrun());
    // TCP holds a device back, datagrams cannot be.
    const ownBudget = target.transport === "tcp" ? undefined : budget;
    this.#decoder = new FrameDecoder(options, [""], new ConfigurationMemory(ownBudget));
    this.#devices = new SendingDevices(options, budget);
  }

  /**
   * Connects, asks for the configuration and for data.
   *
   * @param target Address of the PMU.
   * @param options Reading of frequency and times.
   * @param handlers Receive what comes.
   * @param call Signal and deadline of the connection.
   */
  static async open(
    target: PmuTarget,
    options: DecodeOptions,
    handlers: LinkHandlers,
    call: CallOptions,
  ): Promise<PmuLink> {
    const link = new PmuLink(target, options, handlers);
    try {
      await link.#connect(call);
      await link.#start(call);
    } catch (error) {
      link.#isOpen = false;
      link.#release();
      const isOfSystem = error instanceof Error && !(error instanceof BTrDBError) &&
        "code" in error && call.signal?.aborted !== true;
      throw isOfSystem ? unavailable(target, error.message, error) : error;
    }
    link.#watch = setInterval(() => link.#check(), 1000);
    return link;
  }

  /** Counts of all frames that came. */
  get counts(): LinkCounts {
    const own = { ...this.#decoder.counts, foreign: this.#foreign, outdated: this.#outdated };
    return addCounts(own, this.#devices.counts);
  }

  /** Port listened on for datagrams, if any. */
  get udpPort(): number | undefined {
    return this.#udp?.address().port;
  }

  /** Stops taking data, so that TCP holds the device back. */
  pause(): void {
    this.#isHeldBack = true;
    this.#tcp?.pause();
  }

  /** Goes on taking data. */
  resume(): void {
    this.#isHeldBack = false;
    this.#flow();
  }

  #flow(): void {
    if (!this.#isHeldBack && !this.#isResting) this.#tcp?.resume();
  }

  /**
   * Lets others have their turn. While a socket has bytes, the runtime looks at no other one: a device that
   * sends large configurations all the time would be the only one that is read.
   */
  async #rest(): Promise<void> {
    this.#workMs = 0;
    if (this.#isResting) return;
    this.#isResting = true;
    this.#tcp?.pause();
    await socketsSeen();
    this.#isResting = false;
    this.#flow();
  }

  /** Asks the device to stop, and closes. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#target.id !== undefined) {
      const deadlineMs = Date.now() + COMMAND_GAP_MS;
      await abortable(this.#send("stop"), { deadlineMs }, "stop the PMU").catch(() => {});
    }
    this.#release();
    this.#handlers.onClose(undefined);
  }

  #fail(reason: Error): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#release();
    this.#handlers.onClose(reason);
  }

  #release(): void {
    clearInterval(this.#watch);
    this.#tcp?.destroy();
    const udp = this.#udp;
    this.#udp = undefined;
    udp?.close();
  }

  async #connect(call: CallOptions): Promise<void> {
    const { transport, hostname, port, dataPort } = this.#target;
    if (transport !== "tcp") {
      const isOwn = transport === "listen";
      const family = hostname.includes(":") ? "udp6" : "udp4";
      const udp = this.#udp = createSocket(family);
      if (!isOwn) {
        const found = await abortable(lookup(hostname, { all: true }), call, "connect to the PMU");
        for (const { address } of found) this.#addresses.add(plainAddress(address));
      }
      udp.on("message", (bytes, { address, port }) => this.#datagram(bytes, address, port));
      await settled(call, (resolve, reject) => {
        udp.once("error", reject);
        udp.bind(isOwn ? port : dataPort ?? 0, isOwn ? hostname : undefined, () => resolve());
      });
      udp.removeAllListeners("error");
      udp.on("error", (error) => this.#fail(error));
    }
    if (transport === "tcp" || transport === "tcp+udp") {
      const tcp = this.#tcp = connect({ host: hostname, port });
      await settled(call, (resolve, reject) => {
        tcp.once("error", reject);
        tcp.once("close", () => reject(unavailable(this.#target, "the connection was closed")));
        tcp.once("connect", () => resolve());
      });
      tcp.removeAllListeners("error");
      tcp.setNoDelay(true);
      if (tcp.remoteAddress !== undefined) this.#addresses.add(plainAddress(tcp.remoteAddress));
      tcp.setKeepAlive(true, 10_000);
      tcp.on("error", (error) => this.#fail(error));
      tcp.on("close", () => this.#fail(unavailable(this.#target, "the device closed it")));
      tcp.on("data", (bytes) => this.#take(bytes as Uint8Array));
    }
  }

  /** The order that all devices take: stop, configuration, start; one command at a time. */
  async #start(call: CallOptions): Promise<void> {
    if (this.#target.id === undefined) return;
    await this.#send("stop");
    await delay(COMMAND_GAP_MS, call, "connect to the PMU");
    for (let tries = 0; !this.#isConfigured; tries++) {
      if (!this.#isOpen) throw unavailable(this.#target, "the device closed it");
      if (tries === CONFIGURATION_TRIES) {
        throw unavailable(
          this.#target,
          `no configuration came for id ${this.#target.id}; is that its number`,
        );
      }
      await this.#askConfiguration();
      const until = Date.now() + CONFIGURATION_MS;
      while (!this.#isConfigured && this.#isOpen && Date.now() < until) {
        await delay(20, call, "connect to the PMU");
      }
    }
    await this.#send("start");
    this.#dataMs = Date.now();
  }

  async #askConfiguration(): Promise<void> {
    this.#askedMs = Date.now();
    await this.#send(this.#target.cfg === 3 ? "cfg3" : "cfg2");
  }

  async #send(command: PmuCommand): Promise<void> {
    const { id = 0, hostname, port } = this.#target;
    const now = Date.now();
    const frame = encodeCommand(id, command, {
      soc: Math.floor(now / 1000),
      fraction: Math.floor(now % 1000 * 1000),
    });
    await new Promise<void>((resolve, reject) => {
      const done = (error?: Error | null): void => error ? reject(error) : resolve();
      if (this.#tcp !== undefined) this.#tcp.write(frame, done);
      else if (this.#udp !== undefined) this.#udp.send(frame, port, hostname, done);
      else resolve();
    });
  }

  #take(bytes: Uint8Array): void {
    const decoder = this.#decoder;
    const startMs = performance.now();
    this.#guard(() => {
      decoder.pushRaw(bytes, this.#onFrame, (raw) => this.#data(raw, decoder, undefined));
      this.#checkFit(decoder);
    });
    this.#workMs += performance.now() - startMs;
    if (this.#workMs > SLICE_MS) void this.#rest();
  }

  /** An error of who takes the frames ends the link, not the process. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #datagram(bytes: Uint8Array, address: string, port: number): void {
    const isListening = this.#target.transport === "listen";
    const device = isListening ? this.#devices.find(address, port) : undefined;
    // The device that is asked may send its data from another port.
    const isAsked = !isListening && this.#addresses.has(plainAddress(address));
    const decoder = isAsked ? this.#decoder : device?.decoder;
    if (decoder === undefined) {
      this.#foreign++;
      this.#foreignAddress = address;
      return;
    }
    this.#guard(() => {
      decoder.datagramRaw(bytes, this.#onFrame, (raw) => this.#data(raw, decoder, device));
      if (device === undefined) this.#checkFit(decoder);
      else this.#devices.settle(device);
    });
  }

  readonly #onFrame = (frame: Frame): void => {
    if (frame.type === "configuration") {
      this.#isConfigured = true;
      this.#changes.came(frame.configuration);
      this.#outdatedMs.delete(frame.configuration);
      const { dataRate } = frame.configuration;
      const period = dataRate > 0 ? 1000 / dataRate : -dataRate * 1000;
      this.#idleMs = Math.max(IDLE_MS, IDLE_FRAMES * period);
    }
    this.#handlers.onFrame(frame);
  };

  /** Asks for the configuration again after data that do not fit it. */
  #checkFit(decoder: FrameDecoder): void {
    const { mismatched } = decoder.counts;
    if (mismatched > this.#mismatched) this.#askAgain(this.#changeAnnounced ? 0 : 1000);
    if (mismatched > this.#mismatched) this.#changeAnnounced = false;
    this.#mismatched = mismatched;
  }

  #data(raw: RawDataFrame, decoder: FrameDecoder, device: SendingDevice | undefined): void {
    this.#dataMs = Date.now();
    const isOutdated = this.#changes.isOutdated(raw);
    this.#changeAnnounced = this.#changes.isAnnounced(raw.layout.configuration);
    if (isOutdated && this.#waits(raw, decoder, device)) return;
    if (isOutdated) this.#outdated++;
    this.#handlers.onData(raw, decoder, device);
  }

  /**
   * Keeps a frame after a change until the new configuration is there: values of the same size may have
   * another scale. After a while without one, frames are read by the old one, and counted.
   */
  #waits(raw: RawDataFrame, decoder: FrameDecoder, device: SendingDevice | undefined): boolean {
    const { layout: { configuration }, header: { idcode } } = raw;
    let sinceMs = this.#outdatedMs.get(configuration);
    if (sinceMs === undefined) {
      this.#askAgain(0);
      this.#outdatedMs.set(configuration, sinceMs = this.#dataMs);
    }
    if (this.#dataMs - sinceMs < CONFIGURATION_MS && decoder.hold(raw)) return true;
    if (sinceMs === -Infinity) return false;
    this.#outdatedMs.set(configuration, -Infinity);
    this.#handlers.onOutdated?.(idcode);
    decoder.readHeld(idcode, (held) => {
      this.#outdated++;
      this.#handlers.onData(held, decoder, device);
    });
    return false;
  }

  /** Asks for the configuration while data come, not more often than once in `ms`. */
  #askAgain(ms: number): void {
    if (this.#target.id === undefined || Date.now() - this.#askedMs < ms) return;
    this.#askConfiguration().catch(() => {});
  }

  #check(): void {
    const { mismatched, unconfigured } = this.#decoder.counts;
    const bad = mismatched + unconfigured;
    if (bad > this.#badSeen) this.#askAgain(1000);
    // Data that do not fit are signs of life too, and a device that is held back cannot give any.
    if (bad > this.#badSeen || this.#isHeldBack) this.#dataMs = Date.now();
    this.#badSeen = bad;
    const isAsked = this.#target.transport !== "listen";
    if (isAsked && Date.now() - this.#dataMs > this.#idleMs) {
      const others = this.#foreign === 0
        ? ""
        : `; datagrams from other addresses came, the last from ${this.#foreignAddress}`;
      this.#fail(unavailable(this.#target, `no data came for ${this.#idleMs / 1000} s${others}`));
    }
  }
}

/** An address without its zone, and without the form that IPv6 sockets give to those of IPv4. */
function plainAddress(address: string): string {
  return address.replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "").toLowerCase();
}

function unavailable(target: PmuTarget, why: string, cause?: Error): BTrDBError {
  return new BTrDBError(`Cannot read from ${target.text}: ${why}`, {
    status: "UNAVAILABLE",
    ...(cause !== undefined && { cause }),
  });
}

/** Waits for a callback, but no longer than a call may last. */
async function settled(
  call: CallOptions,
  start: (resolve: () => void, reject: (error: Error) => void) => void,
): Promise<void> {
  call.signal?.throwIfAborted();
  let remove = (): void => {};
  try {
    await new Promise<void>((resolve, reject) => {
      remove = onAbort(call.signal, () => reject(call.signal!.reason));
      start(resolve, reject);
    });
  } finally {
    remove();
  }
}
