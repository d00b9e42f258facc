/**
 * The `btrdb` command: `deno run -A jsr:@btrdb/btrdb/cli`, or `btrdb` after `deno install -g`.
 *
 * @example
 * ```sh
 * btrdb -d file:grid.btrdb import pmu.csv.gz
 * btrdb -d file:grid.btrdb plot pmu/L1MAG --start now-2h
 * ```
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";
import { checkList } from "../core/check_list.ts";
import { describe } from "../core/describe.ts";
import { type Args, parseArgs } from "./words/parse_args.ts";
import type { Command } from "./command.ts";
import { GLOBAL_OPTIONS } from "./words/option.ts";
import { Context } from "./context.ts";
import { causeChain, Exit, Interrupted, usageError, verdictOf } from "./errors.ts";
import { lineErr } from "./terminal/escape.ts";
import { isBrokenPipe, jsonLine, writeErr, writeOut } from "./terminal/output.ts";
import { makeStyle, showsColors } from "./terminal/style.ts";
import { COMMANDS } from "./commands.ts";
import { findCommand } from "./find_command.ts";
import { resolveZone } from "./words/times.ts";

/**
 * Runs a command line.
 *
 * @param argv Words after the name of the program.
 * @returns The exit status: 0 done, 1 failed, 2 usage, 3 not found, 4 unreachable, 130 interrupted,
 *   143 terminated.
 * @throws {TypeError} If the words are no array of strings.
 */
export async function main(argv: readonly string[]): Promise<number> {
  checkWords(argv);
  const debug = argv.includes("--debug");
  const interrupt = new AbortController();
  const stopListening = listenForInterrupts(interrupt);
  try {
    return await dispatch(argv, interrupt.signal);
  } catch (error) {
    if (isBrokenPipe(error)) return Exit.Done;
    return present(error, argv, debug);
  } finally {
    stopListening();
  }
}

function checkWords(argv: readonly string[]): void {
  checkList("run", "argv", argv);
  for (const [i, word] of argv.entries()) {
    if (typeof word === "string") continue;
    throw invalidType(`Cannot run: argv[${i}] is ${describe(word)}, expected a string`);
  }
}

async function dispatch(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const { args: before, rest } = parseArgs(argv, { ...GLOBAL_OPTIONS, ...PROGRAM_OPTIONS }, true);
  if (before.has("version")) return printVersion();
  const [name, ...words] = rest;
  if (name === undefined) return await showHelp(before.has("help"));
  const { default: command } = await findCommand(name, COMMANDS).load();
  const globals = argv.slice(0, argv.length - rest.length);
  const { args } = parseArgs([...globals, ...words], { ...GLOBAL_OPTIONS, ...command.options });
  if (args.has("help")) return await showCommandHelp(command);
  checkArity(command, args);
  return await run(command, args, signal);
}

const PROGRAM_OPTIONS = { version: { short: "V", about: "Print the version" } };

async function run(command: Command, args: Args, signal: AbortSignal): Promise<number> {
  const context = new Context(args, signal, COMMANDS);
  if (args.has("tz")) resolveZone(args.text("tz"));
  return await context.untilGivenUp(finished(context, command.run(context, args)));
}

/** The status of a command, when what it opened is closed. */
async function finished(context: Context, work: Promise<number | void>): Promise<number> {
  const { signal } = context;
  try {
    return await work ?? Exit.Done;
  } catch (error) {
    // What is under way when the user interrupts fails in one way or another.
    throw signal.aborted && !isBrokenPipe(error) ? signal.reason : error;
  } finally {
    // A database that cannot be closed well is told in any case.
    await context.close();
  }
}

async function showHelp(asked: boolean): Promise<number> {
  const { programHelp } = await import("./help.ts");
  const style = makeStyle(false);
  if (asked) writeOut(programHelp(COMMANDS, style));
  else writeErr(programHelp(COMMANDS, style));
  return asked ? Exit.Done : Exit.Usage;
}

async function showCommandHelp(command: Command): Promise<number> {
  const { commandHelp } = await import("./help.ts");
  writeOut(commandHelp(command, makeStyle(false)));
  return Exit.Done;
}

async function printVersion(): Promise<number> {
  const { VERSION } = await import("./version.ts");
  writeOut(`btrdb ${VERSION}\n`);
  return Exit.Done;
}

function checkArity(command: Command, { positionals }: Args): void {
  const [least, most] = command.arity;
  const usage = `usage: btrdb ${command.name} [OPTION…] ${command.args}`.trimEnd();
  if (positionals.length < least) {
    throw usageError(`Command ${command.name} needs ${command.args || "no argument"}`, usage);
  }
  if (positionals.length > most) {
    throw usageError(`Unexpected argument "${positionals[most]}"`, usage);
  }
}

/** One line and a hint on stderr, or a JSON object there with `--json`. */
function present(error: unknown, argv: readonly string[], debug: boolean): number {
  const verdict = verdictOf(error);
  const style = makeStyle(showsColors(Deno.stderr, argv.includes("--no-color")));
  if (argv.includes("--json")) {
    const { exit, message, hint } = verdict;
    const shown = { error: { exit, message, ...(hint === undefined ? {} : { hint }) } };
    writeErr(jsonLine(shown, Deno.stderr.isTerminal()));
  } else {
    writeErr(`${style.red("error:")} ${lineErr(verdict.message)}\n`);
    if (verdict.hint !== undefined) writeErr(`${style.dim("hint:")} ${lineErr(verdict.hint)}\n`);
  }
  if (debug) writeErr(`${causeChain(error, lineErr)}\n`);
  return verdict.exit;
}

/** The first interrupt aborts what is under way; a second one ends the process at once. */
function listenForInterrupts(interrupt: AbortController): () => void {
  const onSignal = (signal: Deno.Signal): void => {
    const reason = new Interrupted(signal);
    if (interrupt.signal.aborted) Deno.exit(reason.exit);
    interrupt.abort(reason);
  };
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGINT", "SIGTERM"];
  const listeners = signals.map((signal) => [signal, () => onSignal(signal)] as const);
  for (const [signal, listener] of listeners) Deno.addSignalListener(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) Deno.removeSignalListener(signal, listener);
  };
}

if (import.meta.main) Deno.exit(await main(Deno.args));
