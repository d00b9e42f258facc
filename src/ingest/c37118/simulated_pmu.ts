/**
 * A simulated PMU that answers over TCP and UDP, for tests and trials without hardware.
 *
 * @module
 */

import { checkObject } from "../../core/check_object.ts";
import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import type { Configuration } from "./configuration.ts";
import { DataLayout } from "./data_layout.ts";
import { encodeConfiguration, encodeHeader, encodeValues, PMU_COMMANDS } from "./encode_frame.ts";
import { STAT_CONFIGURATION_CHANGE } from "./data_frame.ts";
import { FrameDecoder } from "./frame_decoder.ts";
import { integerOption } from "./options.ts";
import {
  noise,
  simulatedConfiguration,
  type SimulatedConfigurationOptions,
  simulatedValues,
} from "./simulated_signal.ts";
import { outOfRange } from "../../core/argument_error.ts";

/** Options of a simulated PMU. */
export interface SimulatePmuOptions extends SimulatedConfigurationOptions {
  /** Address to listen on. @default {"127.0.0.1"} */
  hostname?: string | undefined;
  /** TCP port, 0 for any that is free. @default {0} */
  port?: number | undefined;
  /** UDP port for commands and data, 0 for any that is free. @default {undefined} no UDP */
  udpPort?: number | undefined;
  /** Send data by UDP to this port of who asks over TCP. @default {undefined} over TCP */
  dataPort?: number | undefined;
  /** Send data unasked to this address by UDP, with the configuration once a minute. */
  sendTo?: { hostname: string; port: number } | undefined;
  /** Seed of noise, angles and missing frames. @default {1} */
  seed?: number | undefined;
  /** Part of the frames that is not sent, 0 to 1. @default {0} */
  missing?: number | undefined;
  /** Frames after which the configuration changes: one phasor more. @default {undefined} never */
  changeAfter?: number | undefined;
  /** Frames before the change in which STAT announces it. @default {60} */
  changeNotice?: number | undefined;
  /** Size of fragments of CFG-3, bytes. @default {65535} */
  fragmentBytes?: number | undefined;
}

/** Counts of a simulated PMU. */
export interface SimulatedCounts {
  /** Times of the grid that have come. */
  ticks: number;
  /** Frames of data made; each goes to all clients. */
  frames: number;
  /** Frames left out on purpose. */
  missing: number;
  /** Frames left out for a client that did not read. */
  overrun: number;
}

/** A client that receives data. */
interface Client {
  isSending: boolean;
  send(frame: Uint8Array): boolean;
}

/** Most clients at a time. */
const MAX_CLIENTS = 64;
/** Bytes that a client may leave unread. */
const MAX_UNREAD = 1 << 20;
/** Time between two configurations sent unasked, ms. */
const CONFIGURATION_PERIOD_MS = 60_000;
/** Frames made up for after the process slept; older ones are missing. */
const MAX_CATCH_UP = 5_000;

/** A running simulated PMU. */
export class SimulatedPmu implements AsyncDisposable {
  readonly #options: SimulatePmuOptions;
  readonly #tcp: Server;
  readonly #udp: DatagramSocket | undefined;
  readonly #clients = new Map<string, Client>();
  readonly #sockets = new Set<Socket>();
  readonly #seed: number;
  #layout: DataLayout;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #next: number;
  #isClosed = false;
  #isChanged = false;
  #configuredMs = 0;
  /** Counts so far. */
  readonly counts: SimulatedCounts = { ticks: 0, frames: 0, missing: 0, overrun: 0 };

  /** @ignore Made by {@linkcode simulatePmu}. */
  constructor(
    options: SimulatePmuOptions,
    configuration: Configuration,
    tcp: Server,
    udp: DatagramSocket | undefined,
  ) {
    this.#options = options;
    this.#layout = new DataLayout(configuration);
    this.#tcp = tcp;
    this.#udp = udp;
    this.#seed = options.seed ?? 1;
    this.#next = this.#tickNow() + 1;
    tcp.on("connection", (socket) => this.#serve(socket));
    udp?.on("message", (bytes, { address, port }) => this.#datagram(bytes, address, port));
    udp?.on("error", () => {});
    const { sendTo } = options;
    if (sendTo !== undefined) {
      this.#clients.set("unasked", this.#udpClient(sendTo.hostname, sendTo.port, true));
    }
    this.#schedule();
  }

  /** Configuration that is sent now. */
  get configuration(): Configuration {
    return this.#layout.configuration;
  }

  /** TCP port. */
  get port(): number {
    return (this.#tcp.address() as { port: number }).port;
  }

  /** UDP port for commands, if there is one. */
  get udpPort(): number | undefined {
    return this.#options.udpPort === undefined ? undefined : this.#udp?.address().port;
  }

  /** `host:port` of TCP. */
  get address(): string {
    const host = this.#options.hostname ?? "127.0.0.1";
    return `${host.includes(":") ? `[${host}]` : host}:${this.port}`;
  }

  /** Breaks all TCP connections, as a failing network does. */
  disconnect(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Changes the configuration at once: one phasor more. */
  change(): void {
    const { configuration } = this.#layout;
    const [station] = configuration.stations;
    const options = {
      ...this.#options,
      phasors: station!.phasors.length + 1,
      changeCount: station!.changeCount + 1 & 0xffff,
    };
    this.#layout = new DataLayout(simulatedConfiguration(options));
    this.#configuredMs = 0;
  }

  /** Stops; idempotent. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.disconnect();
    await new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    const udp = this.#udp;
    if (udp !== undefined) await new Promise<void>((resolve) => udp.close(() => resolve()));
  }

  /** As `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #tickNow(): number {
    return Math.floor(Date.now() * this.configuration.dataRate / 1000);
  }

  #schedule(): void {
    const due = this.#next * 1000 / this.configuration.dataRate;
    this.#timer = setTimeout(() => this.#run(), Math.max(1, due - Date.now()));
  }

  #run(): void {
    const now = this.#tickNow();
    if (now - this.#next > MAX_CATCH_UP) this.#next = now;
    for (; this.#next <= now; this.#next++) this.#tick(this.#next);
    if (!this.#isClosed) this.#schedule();
  }

  #tick(tick: number): void {
    const { changeAfter = Infinity, changeNotice = 60, missing = 0 } = this.#options;
    const count = ++this.counts.ticks;
    if (count > changeAfter && !this.#isChanged) {
      this.#isChanged = true;
      this.change();
    }
    if (noise(this.#seed, tick, 998) < missing) {
      this.counts.missing++;
      return;
    }
    const { configuration } = this.#layout;
    const { dataRate, timeBase } = configuration;
    const soc = Math.floor(tick / dataRate);
    const values = simulatedValues(configuration, soc, tick % dataRate, this.#seed);
    if (count > changeAfter - changeNotice && count <= changeAfter) {
      values[0]! |= STAT_CONFIGURATION_CHANGE;
    }
    const fraction = Math.min(timeBase - 1, Math.round((tick % dataRate) * timeBase / dataRate));
    const frame = encodeValues(this.#layout, values, { soc, fraction });
    this.counts.frames++;
    this.#sendUnaskedConfiguration();
    for (const client of this.#clients.values()) {
      if (client.isSending && !client.send(frame)) this.counts.overrun++;
    }
  }

  #sendUnaskedConfiguration(): void {
    const client = this.#clients.get("unasked");
    if (client === undefined || Date.now() - this.#configuredMs < CONFIGURATION_PERIOD_MS) return;
    this.#configuredMs = Date.now();
    for (const frame of this.#configurationFrames(this.configuration.kind)) client.send(frame);
  }

  #stamp() {
    const now = Date.now();
    const { timeBase } = this.configuration;
    return { soc: Math.floor(now / 1000), fraction: Math.floor((now % 1000) * timeBase / 1000) };
  }

  #configurationFrames(kind: 1 | 2 | 3): Uint8Array[] {
    const configuration = { ...this.configuration, kind };
    return encodeConfiguration(configuration, this.#stamp(), this.#options.fragmentBytes);
  }

  #serve(socket: Socket): void {
    if (this.#sockets.size >= MAX_CLIENTS) return void socket.destroy();
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    const host = socket.remoteAddress ?? "127.0.0.1";
    const { dataPort } = this.#options;
    const reply: Client = {
      isSending: false,
      send: (frame) => socket.writableLength < MAX_UNREAD && (socket.write(frame), true),
    };
    const data = dataPort === undefined ? reply : this.#udpClient(host, dataPort, false);
    const key = `tcp ${host}:${socket.remotePort}`;
    this.#clients.set(key, data);
    const decoder = new FrameDecoder();
    socket.on("data", (bytes) => {
      for (const frame of decoder.push(bytes as Uint8Array)) {
        if (frame.type === "command") this.#obey(frame.idcode, frame.command, reply, data);
      }
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#clients.delete(key);
    });
  }

  #udpClient(host: string, port: number, isSending: boolean): Client {
    const udp = this.#udp!;
    return {
      isSending,
      send: (frame) => {
        if (!this.#isClosed) udp.send(frame, port, host, () => {});
        return true;
      },
    };
  }

  #datagram(bytes: Uint8Array, address: string, port: number): void {
    const key = `udp ${address}:${port}`;
    const client = this.#clients.get(key) ?? this.#udpClient(address, port, false);
    const decoder = new FrameDecoder();
    for (const frame of [...decoder.push(bytes), ...decoder.end()]) {
      if (frame.type !== "command") continue;
      if (!this.#clients.has(key) && this.#clients.size >= MAX_CLIENTS) return;
      this.#clients.set(key, client);
      this.#obey(frame.idcode, frame.command, client, client);
      if (!client.isSending && frame.command === PMU_COMMANDS.stop) this.#clients.delete(key);
    }
  }

  #obey(idcode: number, command: number, reply: Client, data: Client): void {
    if (idcode !== this.configuration.idcode) return;
    if (command === PMU_COMMANDS.stop) data.isSending = false;
    else if (command === PMU_COMMANDS.start) data.isSending = true;
    else if (command === PMU_COMMANDS.header) {
      reply.send(encodeHeader(idcode, "Simulated PMU", this.#stamp()));
    } else if (command >= PMU_COMMANDS.cfg1 && command <= PMU_COMMANDS.cfg3) {
      for (const frame of this.#configurationFrames(command - 3 as 1 | 2 | 3)) reply.send(frame);
    }
  }
}

/**
 * Starts a simulated PMU: three phases with a voltage sag of 40 % for 0.3 s and a frequency excursion
 * of 0.3 Hz every 20 s, on the clock of this machine.
 *
 * @param options Ports, format, rate, channels, and what goes wrong.
 * @returns The PMU, which listens.
 * @throws {RangeError} If an option is out of range.
 */
export async function simulatePmu(options: SimulatePmuOptions = {}): Promise<SimulatedPmu> {
  const action = "simulate the PMU";
  checkObject(action, "options", options);
  const { hostname = "127.0.0.1", udpPort, dataPort, sendTo, missing = 0 } = options;
  const port = integerOption(action, options.port ?? 0, "port", 0, 65_535);
  if (!(missing >= 0 && missing <= 1)) {
    throw outOfRange(`Cannot ${action}: missing is ${missing}, expected 0 to 1`);
  }
  const configuration = simulatedConfiguration(options);
  encodeConfiguration(configuration, { soc: 0, fraction: 0 }, options.fragmentBytes);
  const tcp = createServer();
  await new Promise<void>((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen(port, hostname, () => resolve());
  });
  const needsUdp = udpPort !== undefined || dataPort !== undefined || sendTo !== undefined;
  const udp = needsUdp ? createSocket(hostname.includes(":") ? "udp6" : "udp4") : undefined;
  if (udp !== undefined) {
    await new Promise<void>((resolve, reject) => {
      udp.once("error", reject);
      udp.bind(udpPort ?? 0, hostname, () => resolve());
    }).catch((error) => {
      tcp.close();
      throw error;
    });
  }
  return new SimulatedPmu(options, configuration, tcp, udp);
}
