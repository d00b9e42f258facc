/**
 * Readiness of a server for calls: it is not stopping, and its database can be used (docs/server.md, "Metrics").
 *
 * @module
 */

import type { Endpoint } from "../endpoint/endpoint.ts";
import type { BTrDBError } from "../core/errors.ts";
import { FILE_MOVED } from "./failures.ts";

/** Shortest time between two looks at the database, ms: anybody may ask for its health. */
const LOOK_EVERY_MS = 10;

/** Reasons by the status of the database's error, without its path: who asks may have no key. */
const REASONS: Readonly<Record<string, string>> = {
  CANNOT_OPEN: "the file of the database cannot be opened",
  CLOSED: "the database is closed",
  DISK_FULL: "the disk of the database is full",
  IO_ERROR: "the disk of the database reports an error",
  LOCKED: "another process writes the file of the database",
  MOVED: FILE_MOVED,
  READ_ONLY: "the file of the database cannot be written",
};

/** Readiness of a server. */
export class Readiness {
  /** True once the server was told to stop. */
  stopping = false;
  readonly #endpoint: Pick<Endpoint, "trouble">;
  readonly #report: (error: unknown) => void;
  #trouble: BTrDBError | undefined;
  #lookedMs = -Infinity;

  /**
   * @param endpoint The database.
   * @param report Told, once, of what makes the database useless.
   */
  constructor(endpoint: Pick<Endpoint, "trouble">, report: (error: unknown) => void) {
    this.#endpoint = endpoint;
    this.#report = report;
  }

  /** Why the server is of no use now, in words; `undefined` if it is ready. */
  obstacle(): string | undefined {
    if (this.stopping) return "stopping";
    const trouble = this.#look();
    if (trouble === undefined) return undefined;
    return REASONS[trouble.status] ?? "the database cannot be used";
  }

  #look(): BTrDBError | undefined {
    const now = performance.now();
    if (now < this.#lookedMs + LOOK_EVERY_MS) return this.#trouble;
    this.#lookedMs = now;
    const before = this.#trouble;
    this.#trouble = this.#endpoint.trouble?.();
    const isNew = this.#trouble !== undefined && this.#trouble.status !== before?.status;
    if (isNew) this.#report(this.#trouble);
    return this.#trouble;
  }
}
