/**
 * A TCP proxy on loopback that treats its connections badly: delays, resets after a random number of
 * bytes in either direction, and connections that stay open but carry nothing any more.
 */

import { Random } from "../random.ts";

/** Frequency and kinds of the faults. */
export interface FaultOptions {
  seed: number;
  /** Probability that a connection is reset at some point. */
  reset: number;
  /** Probability that a connection falls silent at some point. */
  silence: number;
  /** Largest number of bytes after which either happens. */
  withinBytes: number;
  /** Probability that a piece of data is held back, and for how long at most, ms. */
  delay: number;
  delayMs: number;
}

/** Counts of the faults so far. */
export interface FaultCounts {
  connections: number;
  resets: number;
  silences: number;
  delays: number;
}

/** Faults planned for a connection. */
interface Fate {
  kind: "none" | "reset" | "silence";
  /** Bytes left until then. */
  left: number;
}

/** A port that leads to another one, most of the time. */
export class FaultProxy implements AsyncDisposable {
  /** Set to `false`, connections are carried faithfully. */
  enabled = true;
  readonly counts: FaultCounts = { connections: 0, resets: 0, silences: 0, delays: 0 };
  readonly #listener: Deno.TcpListener;
  readonly #target: number;
  readonly #options: FaultOptions;
  readonly #random: Random;
  readonly #open: Set<Deno.TcpConn> = new Set();
  readonly #running: Set<Promise<void>> = new Set();

  /** @param target Port on loopback where the connections lead. */
  constructor(target: number, options: FaultOptions) {
    this.#target = target;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#track(this.#accept());
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** `host:port`. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async #accept(): Promise<void> {
    for await (const near of this.#listener) {
      this.counts.connections++;
      this.#track(this.#join(near));
    }
  }

  async #join(near: Deno.TcpConn): Promise<void> {
    this.#open.add(near);
    let far: Deno.TcpConn | undefined;
    try {
      far = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
      this.#open.add(far);
      near.setNoDelay(true);
      far.setNoDelay(true);
      const fate = this.#fate();
      await Promise.all([this.#carry(near, far, fate), this.#carry(far, near, fate)]);
    } catch {
      // One side is gone; so is the other, below.
    } finally {
      this.#close(near);
      if (far !== undefined) this.#close(far);
    }
  }

  #fate(): Fate {
    const { reset, silence, withinBytes } = this.#options;
    const left = this.#random.int(1, withinBytes);
    const chance = this.#random.next();
    if (chance < reset) return { kind: "reset", left };
    return chance < reset + silence ? { kind: "silence", left } : { kind: "none", left };
  }

  async #carry(from: Deno.TcpConn, to: Deno.TcpConn, fate: Fate): Promise<void> {
    const buffer = new Uint8Array(1 << 14);
    while (true) {
      const n = await from.read(buffer);
      if (n === null) return void await to.closeWrite();
      const passed = this.enabled ? await this.#suffer(n, fate) : n;
      for (let at = 0; at < passed;) at += await to.write(buffer.subarray(at, passed));
      if (passed === n) continue;
      if (fate.kind === "reset") {
        this.#close(from);
        this.#close(to);
        return;
      }
      while (await from.read(buffer) !== null);
      return;
    }
  }

  /** Applies the planned faults to `n` bytes; resolves to the number of bytes that get through. */
  async #suffer(n: number, fate: Fate): Promise<number> {
    if (this.#random.chance(this.#options.delay)) {
      this.counts.delays++;
      const ms = this.#random.int(1, this.#options.delayMs);
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
    if (fate.kind === "none") return n;
    fate.left -= n;
    if (fate.left > 0) return n;
    if (fate.left + n > 0) this.counts[fate.kind === "reset" ? "resets" : "silences"]++;
    return Math.max(0, fate.left + n);
  }

  #close(conn: Deno.TcpConn): void {
    if (!this.#open.delete(conn)) return;
    try {
      conn.close();
    } catch {
      // It was closed by the other side.
    }
  }

  #track(running: Promise<void>): void {
    const tracked = running.catch(() => {}).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  /** Closes the port and all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open) this.#close(conn);
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
