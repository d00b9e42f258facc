/**
 * Surroundings of every command: the database, stdout and stderr, the interrupt signal and the way
 * to show times and colours.
 *
 * @module
 */

import type { BTrDB } from "../../mod.ts";
import type { Access, CommandDatabases } from "./command_databases.ts";
import type { CommandEntry } from "./command_entry.ts";
import type { Args } from "./words/parse_args.ts";
import { abortable, onAbort } from "../core/call.ts";
import { CliError, usageError } from "./errors.ts";
import { lineErr } from "./terminal/escape.ts";
import { isBrokenPipe, jsonLine, writeErr, writeOut } from "./terminal/output.ts";
import { Progress } from "./terminal/progress.ts";
import { makeStyle, movesCursor, showsColors, type Style } from "./terminal/style.ts";
import { terminalWidth } from "./terminal/width.ts";
import { resolveZone, type TimeFrame } from "./words/times.ts";

/** Time after an interrupt until a server that does not answer is given up, ms. */
const GIVE_UP_MS = 10_000;

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
  #databases: CommandDatabases | undefined;
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
    const { CommandDatabases } = await import("./command_databases.ts");
    this.#databases ??= new CommandDatabases(
      this.#options,
      this.signal,
      (text) => this.talk(text),
    );
    return await this.#databases.connect(target, access);
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
      const ms = Math.max(GIVE_UP_MS, this.#databases?.giveUpMs ?? 0);
      if (ms < Infinity) timer = setTimeout(() => reject(this.signal.reason), ms);
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
    await this.#databases?.close();
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
