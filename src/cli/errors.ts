/**
 * Errors as the command line shows them: one line, a hint, and an exit code.
 *
 * @module
 */

import { pathProblem } from "../core/path_problem.ts";
import { ARGUMENT_ERROR_CODE } from "../core/argument_error.ts";
import type { ImportError } from "../ingest/mod.ts";
import type { CsvError } from "../kernel/mod.ts";

/** Codes and messages of the system for an address at which nothing here can listen. */
const NO_ADDRESS = /^(ENOTFOUND|EAI_\w+) getaddrinfo|^(EADDRNOTAVAIL|EINVAL) listen/;

/** Exit statuses of the process. */
export const Exit = {
  /** Everything asked for was done. */
  Done: 0,
  /** Something went wrong. */
  Failed: 1,
  /** The command line cannot be understood. */
  Usage: 2,
  /** A stream, collection or file does not exist. */
  NotFound: 3,
  /** The database does not answer. */
  Unreachable: 4,
  /** Interrupted by the user (SIGINT). */
  Interrupted: 130,
  /** Ended by another process (SIGTERM). */
  Terminated: 143,
} as const;

/** An error with an exit code and, mostly, advice. */
export class CliError extends Error {
  /** Exit status of the process. */
  readonly exit: number;
  /** Advice, one line. */
  readonly hint: string | undefined;

  /**
   * @param message Text in sentence case, without a full stop.
   * @param init Exit code ({@linkcode Exit}, 1 by default), hint and cause.
   */
  constructor(
    message: string,
    init: { exit?: number; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "CliError";
    this.exit = init.exit ?? Exit.Failed;
    this.hint = init.hint;
  }
}

/** A mistake on the command line. */
export function usageError(message: string, hint?: string): CliError {
  return new CliError(message, { exit: Exit.Usage, hint });
}

/** Something named on the command line does not exist. */
export function notFound(message: string, hint?: string): CliError {
  return new CliError(message, { exit: Exit.NotFound, hint });
}

/** The reason with which a signal aborts what is under way. */
export class Interrupted extends Error {
  /** Exit status of the process. */
  readonly exit: number;

  /** @param signal Signal that came. */
  constructor(signal: Deno.Signal) {
    const isTerminated = signal === "SIGTERM";
    super(isTerminated ? "Terminated" : "Interrupted");
    this.name = "Interrupted";
    this.exit = isTerminated ? Exit.Terminated : Exit.Interrupted;
  }
}

/** Message and hint to print, and the status to exit with. */
export interface Verdict {
  exit: number;
  message: string;
  hint?: string | undefined;
}

/** Message, hint and exit status for any thrown value. */
export function verdictOf(error: unknown): Verdict {
  if (error instanceof Interrupted) return { exit: error.exit, message: error.message };
  if (error instanceof CliError) {
    return { exit: error.exit, message: error.message, hint: error.hint };
  }
  if (!(error instanceof Error)) return { exit: Exit.Failed, message: String(error) };
  if (error.name === "ImportError") return verdictOfImport(error as ImportError);
  const message = firstLine(error.message) || error.name;
  if (error.name === "BTrDBError") return verdictOfDatabase(error, message);
  if (error.name === "CsvError") {
    const { cell, label } = error as CsvError;
    const hint = label !== undefined && cell === JSON.stringify(label)
      ? "is this the header of another file? `btrdb import a.csv b.csv` takes them one by one"
      : "fix the row, or import only some columns with --column";
    return { exit: Exit.Failed, message, hint };
  }
  if (error.name === "NotFound") { // Deno's, also from another thread, which keeps only its name.
    return { exit: Exit.NotFound, message, hint: "check the path" };
  }
  const { code } = error as Error & { code?: unknown };
  if (code === "ENOENT") return { exit: Exit.NotFound, message, hint: "check the path" };
  if (pathProblem(error) !== undefined) {
    return { exit: Exit.Failed, message, hint: "check the path" };
  }
  if (code === "EADDRINUSE") {
    return { exit: Exit.Failed, message, hint: "something listens there already; see --listen" };
  }
  if (typeof code === "string" && NO_ADDRESS.test(`${code} ${message}`)) {
    const hint = "this machine has no such address; see --listen, --http and --metrics-host";
    return { exit: Exit.Failed, message, hint };
  }
  if (code === ARGUMENT_ERROR_CODE) return { exit: Exit.Usage, message };
  return { exit: Exit.Failed, message, hint: "add --debug to see where this came from" };
}

function verdictOfImport({ fault, message, hint }: ImportError): Verdict {
  const exits = { data: Exit.Failed, options: Exit.Usage, missing: Exit.NotFound };
  return { exit: exits[fault], message, hint };
}

function verdictOfDatabase(error: Error, message: string): Verdict {
  const { code, status, uuid } = error as Error & { code: number; status: string; uuid?: string };
  if (code === 0 && (status === "UNAVAILABLE" || status === "DEADLINE_EXCEEDED")) {
    return {
      exit: Exit.Unreachable,
      message,
      hint: "check the address after -d, or $BTRDB_ENDPOINTS, and that the server runs",
    };
  }
  if (status === "LOCKED") {
    return {
      exit: Exit.Failed,
      message,
      hint:
        "another process has the file open for writing; if it is `btrdb serve`, pass its address to -d instead",
    };
  }
  if (status === "LEASED") {
    const hint = "wait for that runner, or for the end of its lease if it is dead";
    return { exit: Exit.Failed, message, hint };
  }
  if (status === "NOT_CONFIGURED") {
    const hint = "a target comes after -d, for example `btrdb -d file:grid.btrdb ls`";
    return { exit: Exit.Usage, message, hint };
  }
  if (code === 404 || code === 445) {
    const hint = "`btrdb ls -l` lists what is there";
    return { exit: Exit.NotFound, message: withUuid(message, uuid), hint };
  }
  const label = code === 0 ? status : `${code} ${status}`;
  if (status === "CORRUPT") {
    const hint = "`btrdb verify` lists what is damaged";
    return { exit: Exit.Failed, message: labelled(message, label), hint };
  }
  if (code === 406 || code === 429) {
    const hint = code === 406
      ? "`btrdb show` shows what is there"
      : "without --uuid a stream gets one that is new";
    return { exit: Exit.Failed, message: labelled(message, label), hint };
  }
  return { exit: Exit.Failed, message: labelled(message, label) };
}

/** A message that names its stream: a command may work on many. */
function withUuid(message: string, uuid: string | undefined): string {
  return uuid === undefined || message.includes(uuid) ? message : `${message}: ${uuid}`;
}

function labelled(message: string, label: string): string {
  return message.includes(label) ? message : `${message} (${label})`;
}

/** The first line, without the empty note that grpc-js ends its messages with. */
function firstLine(text: string): string {
  return text.split("\n", 1)[0]!.replace(/\s*Resolution note:\s*$/, "").trim();
}

/**
 * The whole chain of causes with stacks, for `--debug`.
 *
 * @param onOneLine Shows a message on one line: a message may not look like a part of the chain.
 */
export function causeChain(error: unknown, onOneLine: (text: string) => string): string {
  const parts: string[] = [];
  for (let at: unknown = error, depth = 0; at !== undefined && depth < 10; depth++) {
    const text = at instanceof Error ? stackOf(at, onOneLine) : onOneLine(String(at));
    parts.push(depth === 0 ? text : `Caused by: ${text}`);
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join("\n");
}

/** The stack of an error, its message on one line. */
function stackOf(
  { name, message, stack = "" }: Error,
  onOneLine: (text: string) => string,
): string {
  const at = message === "" ? -1 : stack.indexOf(message);
  if (at >= 0) return stack.slice(0, at) + onOneLine(message) + stack.slice(at + message.length);
  return stack || onOneLine(`${name}: ${message}`);
}
