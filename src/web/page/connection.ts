/**
 * The connection to the server the page came from: asks for a key where one is needed, notices that
 * the server is gone, and finds it again.
 *
 * @module
 */

import type { BTrDB } from "../../client/btrdb.ts";
import { delay } from "../../core/call.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { connect } from "../connect.ts";
import { forgetKey, keepKey, storedKey } from "./session_key.ts";

/** State of a connection. */
export type ConnectionState =
  | { readonly kind: "connecting" }
  | { readonly kind: "ready" }
  | { readonly kind: "lost"; readonly message: string };

/** Pauses between tries, ms; the last one repeats. */
const PAUSES_MS = [250, 500, 1000, 2000, 3000];

/** Longest wait for the answer to a probe, ms. */
const PROBE_MS = 8_000;

/** Options of a {@linkcode Connection}. */
export interface ConnectionOptions {
  /** Address below which the server answers. */
  readonly url: string;
  /** Asks for a key; the reason is why the last one was refused. */
  readonly askForKey: (problem: string | undefined) => Promise<string>;
  /** Told of every change. */
  readonly onState: (state: ConnectionState) => void;
}

/** A connection that heals. */
export class Connection {
  readonly #options: ConnectionOptions;
  #db: BTrDB | undefined;
  #state: ConnectionState = { kind: "connecting" };
  #opening: Promise<BTrDB> | undefined;
  #healing: Promise<void> | undefined;
  #wake: AbortController = new AbortController();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    for (const event of ["online", "visibilitychange", "pageshow"]) {
      addEventListener(event, () => this.wake());
    }
  }

  /** The database; connected first by {@linkcode open}. */
  get db(): BTrDB {
    if (this.#db === undefined) throw new Error("There is no connection yet");
    return this.#db;
  }

  /** State now. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Connects, however long it takes; one who calls it meanwhile waits for the same. */
  open(): Promise<BTrDB> {
    this.#opening ??= this.#open().finally(() => this.#opening = undefined);
    return this.#opening;
  }

  async #open(): Promise<BTrDB> {
    let problem: string | undefined;
    for (let tries = 0;; tries++) {
      try {
        const apiKey = storedKey();
        const retry = { attempts: 2, maxElapsedMs: 2_000 };
        this.#db = await connect(this.#options.url, {
          retry,
          timeoutMs: PROBE_MS,
          ...(apiKey === undefined ? {} : { apiKey }),
        });
        await this.#db.listCollections("", { timeoutMs: PROBE_MS }).next();
        this.#become({ kind: "ready" });
        return this.#db;
      } catch (error) {
        if (isKeyError(error)) {
          problem = storedKey() === undefined ? undefined : "The server refuses this key";
          forgetKey();
          keepKey(await this.#options.askForKey(problem));
          tries = -1;
          continue;
        }
        this.#become({ kind: "lost", message: messageOf(error) });
        await this.#pause(tries);
      }
    }
  }

  /** Takes note of an error of a call; if the server is gone, looks for it until it is back. */
  failed(error: unknown): void {
    if (isLost(error)) this.#healing ??= this.#heal(messageOf(error));
  }

  /** Tries at once, instead of when the pause is over. */
  wake(): void {
    this.#wake.abort();
    this.#wake = new AbortController();
  }

  async #heal(message: string): Promise<void> {
    this.#become({ kind: "lost", message });
    for (let tries = 0;; tries++) {
      await this.#pause(tries);
      try {
        await this.db.info({ timeoutMs: PROBE_MS });
        break;
      } catch (error) {
        if (!isLost(error)) break;
      }
    }
    this.#healing = undefined;
    this.#become({ kind: "ready" });
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.#options.onState(state);
  }

  async #pause(tries: number): Promise<void> {
    const { signal } = this.#wake;
    await delay(PAUSES_MS[Math.min(tries, PAUSES_MS.length - 1)]!, { signal }).catch(() => {});
  }
}

/** Tells whether the server wants another key. */
export function isKeyError(error: unknown): boolean {
  return error instanceof BTrDBError &&
    (error.status === "UNAUTHENTICATED" || error.status === "PERMISSION_DENIED" ||
      error.code === ErrorCode.Unauthorized);
}

/** Tells whether an error means that the server cannot be reached. */
export function isLost(error: unknown): boolean {
  return error instanceof BTrDBError && error.code === 0 &&
    (error.status === "UNAVAILABLE" || error.status === "DEADLINE_EXCEEDED");
}

/** Text of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Tells whether an error means that a server does not have a call at all. */
export function isNotImplemented(error: unknown): boolean {
  return error instanceof BTrDBError &&
    (error.status === "UNIMPLEMENTED" || error.code === ErrorCode.NotImplemented);
}
