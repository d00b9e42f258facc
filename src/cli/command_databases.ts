/**
 * Databases that a command opens. Loaded with the first of them: help and completions need none.
 *
 * @module
 */

import type { BTrDB, ConnectOptions } from "../../mod.ts";
import { notFound, usageError } from "./errors.ts";
import { filePath } from "./words/file_target.ts";
import { RecoveryNotice } from "./recovery_notice.ts";
import { parseDuration } from "./words/durations.ts";
import type { Args } from "./words/parse_args.ts";

/**
 * Purpose for which a command opens a database. Only `"create"` and `"serve"` create a missing
 * file, and only `"serve"` and `"serve read-only"` keep it open.
 */
export type Access = "read" | "write" | "create" | "serve" | "serve read-only";

/** Cache of a file that is open for the time of a command: few look at much twice. */
const CACHE_BYTES = 32 << 20;

/** Time after an interrupt until a server that is written to and does not answer is given up, ms. */
const GIVE_UP_WRITE_MS = 60_000;

/** The databases of a command. */
export class CommandDatabases {
  readonly #options: Args;
  readonly #signal: AbortSignal;
  readonly #recovery: RecoveryNotice;
  readonly #open = new Map<string, BTrDB>();
  #giveUpMs = 0;

  /**
   * @param options The global options.
   * @param signal Aborted when the user interrupts.
   * @param talk Shows a text to the user.
   */
  constructor(options: Args, signal: AbortSignal, talk: (text: string) => void) {
    this.#options = options;
    this.#signal = signal;
    this.#recovery = new RecoveryNotice(talk);
  }

  /**
   * Time that what is written to needs to end after an interrupt, ms; 0 if nothing is. A file and a server
   * of ours end in their own time.
   */
  get giveUpMs(): number {
    return this.#giveUpMs;
  }

  /** As `Context.connect`. */
  async connect(target: string | undefined, access: Access): Promise<BTrDB> {
    const key = target ?? "";
    const known = this.#open.get(key);
    if (known !== undefined) return known;
    if (target !== undefined) checkTarget(target, access);
    const { connect } = await import("../../mod.ts");
    const db = await connect(target, this.#connectOptions(target, access));
    this.#open.set(key, db);
    const isFile = target !== undefined && filePath(target) !== undefined;
    if (access === "read") return db;
    const isEndedHere = isFile || access.startsWith("serve");
    this.#giveUpMs = Math.max(this.#giveUpMs, isEndedHere ? Infinity : GIVE_UP_WRITE_MS);
    return db;
  }

  #connectOptions(target: string | undefined, access: Access): ConnectOptions {
    const options: ConnectOptions = { signal: this.#signal, hooks: this.#recovery };
    const isFile = target !== undefined && filePath(target) !== undefined;
    if (isFile && access === "serve read-only") options.embedded = { readOnly: true };
    else if (isFile && access !== "serve") {
      options.embedded = { readOnly: access === "read", cacheBytes: CACHE_BYTES };
    }
    const profile = this.#options.text("profile");
    if (profile !== undefined) options.profile = profile;
    const protocol = this.#options.text("protocol");
    if (protocol !== undefined) options.protocol = protocol as "auto" | "v4" | "v5";
    const timeout = parseDuration(this.#options.text("timeout") ?? "10s", "--timeout");
    options.timeoutMs = Math.max(1, Number(timeout / 1_000_000n));
    return options;
  }

  /** Closes what was opened, the last first. */
  async close(): Promise<void> {
    this.#recovery.stop();
    const open = [...this.#open.values()].reverse();
    this.#open.clear();
    for (const db of open) await db.close();
  }
}

/** Fails where `connect` would make an empty file out of a typing mistake. */
function checkTarget(target: string, access: Access): void {
  const path = filePath(target);
  if (path === undefined) {
    if (/^[^:]*\.(btrdb|db|sqlite)$/i.test(target)) {
      throw usageError(
        `Cannot use -d ${target}: it is not a target`,
        `did you mean file:${target}?`,
      );
    }
    return;
  }
  if (path === "") throw usageError(`Cannot use ${target}: it names no file`, "file:grid.btrdb");
  if (access === "create" || access === "serve") {
    const folder = path.replace(/[^/\\]*$/, "");
    if (folder === "" || exists(folder)) return;
    throw notFound(
      `Cannot make ${path}: there is no directory ${folder.replace(/(.)[/\\]$/, "$1")}`,
    );
  }
  if (exists(path)) return;
  throw notFound(
    `There is no database in ${path}`,
    "`btrdb import` and `btrdb create` make the file; check the path after file:",
  );
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
