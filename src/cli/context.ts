/**
 * Surroundings of every command: the database, stdout and stderr, the interrupt signal and the way
 * to show times and colours.
 *
 * @module
 */

import type { BTrDB, ConnectOptions } from "../../mod.ts";
import type { CommandEntry } from "./command_entry.ts";
import type { Args } from "./words/parse_args.ts";
import { parseDuration } from "./words/durations.ts";
import { abortable, onAbort } from "../core/call.ts";
import { RecoveryNotice } from "./recovery_notice.ts";
import { CliError, notFound, usageError } from "./errors.ts";
import { lineErr } from "./terminal/escape.ts";
import { isBrokenPipe, jsonLine, writeErr, writeOut } from "./terminal/output.ts";
import { Progress } from "./terminal/progress.ts";
import { makeStyle, movesCursor, showsColors, type Style } from "./terminal/style.ts";
import { terminalWidth } from "./terminal/width.ts";
import { resolveZone, type TimeFrame } from "./words/times.ts";

/**
 * Purpose for which a command opens a database. Only `"create"` and `"serve"` create a missing
 * file, and only `"serve"` and `"serve read-only"` keep it open.
 */
export type Access = "read" | "write" | "create" | "serve" | "serve read-only";

/** Cache of a file that is open for the time of a command: few look at much twice. */
const CACHE_BYTES = 32 << 20;

/** Time after an interrupt until a server that does not answer is given up, also one that is written to. */
const GIVE_UP_MS = 10_000;
const GIVE_UP_WRITE_MS = 60_000;

/** The surroundings of a command. */
export class Context {
  /** Aborted, with an `Interrupted` as the reason, when the user interrupts. */
  readonly signal: AbortSignal;
  /** All commands. */
  readonly commands: readonly CommandEntry[];
  /** True to print JSON. */
  readonly json: boolean;
  /** True to leave out progress and summaries. */
  readonly quiet: boolean;
  /** Colours of stdout. */
  readonly style: Style;
  /** Colours of stderr. */
  readonly errorStyle: Style;
  /** True if stdout shows colours. */
  readonly color: boolean;
  readonly #options: Args;
  readonly #open = new Map<string, BTrDB>();
  #giveUpMs = GIVE_UP_MS;
  readonly #recovery = new RecoveryNotice((text) => this.talk(text));
  #frame: TimeFrame | undefined;

  /**
   * @param options The global options.
   * @param signal Aborted when the user interrupts.
   * @param commands All commands, for help and completions.
   */
  constructor(options: Args, signal: AbortSignal, commands: readonly CommandEntry[]) {
    this.commands = commands;
    this.#options = options;
    this.signal = signal;
    this.json = options.has("json");
    this.quiet = options.has("quiet");
    const noColor = options.has("no-color");
    this.color = showsColors(Deno.stdout, noColor);
    this.style = makeStyle(this.color);
    this.errorStyle = makeStyle(showsColors(Deno.stderr, noColor));
  }

  /** The target after `-d`. */
  get target(): string | undefined {
    return this.#options.text("database");
  }

  /** Time zone and present, the same one during the whole command. */
  get frame(): TimeFrame {
    this.#frame ??= {
      tz: resolveZone(this.#options.text("tz")),
      now: Temporal.Now.instant().epochNanoseconds,
    };
    return this.#frame;
  }

  /** Characters in a line of the terminal. */
  get width(): number {
    return terminalWidth();
  }

  /** Lines of the terminal. */
  get height(): number {
    try {
      return Deno.consoleSize().rows || 24;
    } catch {
      return 24;
    }
  }

  /** The database after `-d`, or the one in the environment; connects at the first call. */
  db(access: Access): Promise<BTrDB> {
    return this.connect(this.target, access);
  }

  /**
   * Connects to any database, once; it is closed when the command ends.
   *
   * @param target As after `-d`.
   * @param access Purpose; see {@linkcode Access}.
   */
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
    const options: ConnectOptions = { signal: this.signal, hooks: this.#recovery };
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

  /**
   * Waits for a command, but after an interrupt only so long for servers: one may never answer. A file
   * that is written and a server of ours end in their own time.
   *
   * @throws The reason of the interrupt, when these are over.
   */
  async untilGivenUp<T>(work: Promise<T>): Promise<T> {
    const { promise: givenUp, reject } = Promise.withResolvers<never>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const forget = onAbort(this.signal, () => {
      if (this.#giveUpMs === Infinity) return;
      timer = setTimeout(() => reject(this.signal.reason), this.#giveUpMs);
    });
    try {
      return await Promise.race([work, givenUp]);
    } finally {
      forget();
      clearTimeout(timer);
    }
  }

  /** Closes what was opened, the last first. */
  async close(): Promise<void> {
    this.#recovery.stop();
    const open = [...this.#open.values()].reverse();
    this.#open.clear();
    for (const db of open) await db.close();
  }

  /** Prints data on stdout; when their reader has closed the pipe, the command ends there. */
  print(text: string): void {
    writeOut(text);
  }

  /** Prints one JSON document, on one line. */
  printJson(value: unknown): void {
    this.print(jsonLine(value));
  }

  /**
   * Prints a report on stdout: a reader that has closed the pipe neither ends the work that is
   * reported on, nor makes a success of its exit status.
   */
  report(text: string): void {
    try {
      writeOut(text);
    } catch (error) {
      if (!isBrokenPipe(error)) throw error;
    }
  }

  /** Prints a report as one JSON document, on one line. */
  reportJson(value: unknown): void {
    this.report(jsonLine(value));
  }

  /** Says something on stderr, unless `--quiet`. */
  talk(text: string): void {
    if (!this.quiet) writeErr(`${lineErr(text)}\n`);
  }

  /** Says something on stderr that must be known, also with `--quiet`. */
  warn(text: string): void {
    writeErr(`${this.errorStyle.yellow("warning:")} ${lineErr(text)}\n`);
  }

  /** Shows an error on stderr after which the command goes on. */
  fault(text: string): void {
    if (this.json) {
      return writeErr(jsonLine({ error: { message: text } }, Deno.stderr.isTerminal()));
    }
    writeErr(`${this.errorStyle.red("error:")} ${lineErr(text)}\n`);
  }

  /** A progress line on stderr. */
  progress(label: string): Progress {
    return new Progress(label, { terminal: movesCursor(Deno.stderr), silent: this.quiet });
  }

  /**
   * Asks before something that cannot be undone; an interrupt is an answer too.
   *
   * @param action Action in the imperative, e.g. `"remove 3 points"`.
   * @param yes True if the command line already said yes.
   * @throws {CliError} If the answer is no, or stdin is not a terminal.
   */
  async confirm(action: string, yes: boolean): Promise<void> {
    if (yes) return;
    if (!Deno.stdin.isTerminal()) {
      throw usageError(
        "Cannot ask for confirmation: stdin is not a terminal",
        `pass --yes to ${action}`,
      );
    }
    writeErr(`${lineErr(action[0]!.toUpperCase() + action.slice(1))}? [y/N] `);
    const answer = await abortable(readLine(), { signal: this.signal }, "ask").catch((error) => {
      writeErr("\n");
      throw error;
    });
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError("Nothing was done");
  }
}

async function readLine(): Promise<string> {
  const bytes = new Uint8Array(256);
  const n = await Deno.stdin.read(bytes) ?? 0;
  return new TextDecoder().decode(bytes.subarray(0, n));
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

/** The path of a `file:` target. */
export function filePath(target: string): string | undefined {
  if (!target.startsWith("file:")) return undefined;
  return target.startsWith("file://")
    ? decodeURIComponent(new URL(target).pathname)
    : target.slice("file:".length);
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
