/**
 * The real command as a process, and its output against what it was.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { HANG_MS } from "../support/until.ts";

const MAIN = new URL("../../src/cli/main.ts", import.meta.url).pathname;
const SNAPSHOTS = new URL("./snapshots/", import.meta.url);

/** Exit status and output of a run of the command. */
export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Input and environment of a run. */
export interface RunOptions {
  stdin?: string | Uint8Array;
  env?: Record<string, string>;
  cwd?: string;
}

/**
 * The words of the command line that runs the program. One that names its database first waits for the
 * server as long as a test may: on a busy machine a server did not answer within the 10 s that people
 * are given, and the transcript of a test had an error in it.
 */
export function commandLine(args: readonly string[]): string[] {
  const isPatient = args[0] === "-d" && !args.includes("--timeout");
  const patience = isPatient ? ["--timeout", `${HANG_MS}ms`] : [];
  return [Deno.execPath(), "run", "-A", "--quiet", MAIN, ...patience, ...args];
}

/** Starts the program. */
export function start(
  args: readonly string[],
  options: RunOptions = {},
  stdio: "piped" | "null" = "piped",
): Deno.ChildProcess {
  const [program, ...words] = commandLine(args);
  return new Deno.Command(program!, {
    args: words,
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: stdio,
    stderr: stdio,
    env: { NO_COLOR: "", BTRDB_ENDPOINTS: "", COLUMNS: "80", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  }).spawn();
}

/** A line of progress, which a command prints only where it takes seconds. */
const PROGRESS = /^[A-Z][a-z]+ing\b.* {2}[\d.]+(?: [kMG])? points\b.*\n/gm;

/** Runs the program to its end; lines of progress are left out of `stderr`. */
export async function btrdb(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = start(args, options);
  if (options.stdin !== undefined) {
    const bytes = typeof options.stdin === "string"
      ? new TextEncoder().encode(options.stdin)
      : options.stdin;
    const writer = child.stdin.getWriter();
    await writer.write(bytes as Uint8Array<ArrayBuffer>).catch(() => {});
    await writer.close().catch(() => {});
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), HANG_MS);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const decoder = new TextDecoder();
  const said = decoder.decode(stderr).replace(PROGRESS, "");
  return { code, stdout: decoder.decode(stdout), stderr: said };
}

/** Runs a command that begins once the reader of its stdout has gone; its status and messages. */
export async function withoutReader(
  args: readonly string[],
  { path, env }: { path: string; env: Record<string, string> },
): Promise<{ code: number; stderr: string }> {
  const script = `
    mkfifo "$0/gone"
    { read _ < "$0/gone"; "$@" 2> "$0/stderr"; echo $? > "$0/status"; } | {
      exec <&-; echo > "$0/gone"
    }
    rm "$0/gone"`;
  const { success } = await new Deno.Command("bash", {
    args: ["-c", script, path, ...commandLine(args)],
    env: { NO_COLOR: "", BTRDB_ENDPOINTS: "", ...env },
  }).output();
  if (!success) throw new Error("The shell failed");
  const code = Number(await Deno.readTextFile(`${path}/status`));
  return { code, stderr: await Deno.readTextFile(`${path}/stderr`) };
}

/** A directory that goes away with the test, and a state directory in it. */
export async function workspace(): Promise<{
  path: string;
  env: Record<string, string>;
  [Symbol.asyncDispose](): Promise<void>;
}> {
  const path = await Deno.makeTempDir({ prefix: "btrdb-cli-" });
  return {
    path,
    env: { BTRDB_STATE_DIR: `${path}/state` },
    async [Symbol.asyncDispose]() {
      await Deno.remove(path, { recursive: true });
    },
  };
}

/** A `btrdb serve` child. */
export interface Served {
  /** `host:port`. */
  address: string;
  /** Ends it with SIGINT; its exit status. */
  stop(): Promise<number>;
  /** Kills it with SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Serves a target on a free port. */
export async function serveTarget(target: string, args: readonly string[] = []): Promise<Served> {
  const child = start(["serve", target, "--listen", "127.0.0.1:0", "--json", "-q", ...args]);
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) break;
    text += value;
  }
  if (!text.includes("\n")) {
    const { stderr } = await stderrOf(child);
    throw new Error(`btrdb serve ended at once: ${stderr}`);
  }
  const { address } = JSON.parse(text) as { address: string };
  const drained = Promise.all([drain(reader), child.stderr.cancel()]);
  let stopped: Promise<number> | undefined;
  const stop = (): Promise<number> => {
    stopped ??= (async () => {
      child.kill("SIGINT");
      const { code } = await child.status;
      await drained;
      return code;
    })();
    return stopped;
  };
  return {
    address,
    stop,
    async kill() {
      stopped ??= child.status.then(({ code }) => code);
      child.kill("SIGKILL");
      await stopped;
      await drained;
    },
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

async function drain(reader: ReadableStreamDefaultReader<string>): Promise<void> {
  while (!(await reader.read()).done);
}

async function stderrOf(child: Deno.ChildProcess): Promise<{ stderr: string }> {
  const stderr = await new Response(child.stderr).text();
  await child.status;
  return { stderr };
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Takes out what differs from run to run: uuids made, speeds, seconds, paths and ports. */
export function normalized(text: string, replace: Record<string, string> = {}): string {
  let plain = text;
  for (const [from, to] of Object.entries(replace)) plain = plain.replaceAll(from, to);
  const uuids = new Map<string, string>();
  return plain
    .replace(UUID, (uuid) => {
      if (uuid.startsWith("00000000-")) return uuid;
      const name = uuids.get(uuid) ?? `<uuid ${uuids.size + 1}>`;
      uuids.set(uuid, name);
      return name;
    })
    .replace(/[\d.]+ s, [\d.]+ ?[kMG]? ?(points|rows)\/s/g, "… s, … $1/s")
    .replace(/"seconds":[\d.]+/g, '"seconds":…')
    .replace(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT");
}

/** A transcript of one run, as it stands in a snapshot. */
export function transcript(line: string, { code, stdout, stderr }: Outcome): string {
  const parts = [`$ btrdb ${line}\n${stdout}`];
  if (stderr !== "") parts.push(stderr.split("\n").slice(0, -1).map((l) => `! ${l}\n`).join(""));
  if (code !== 0) parts.push(`= ${code}\n`);
  return parts.join("");
}

/**
 * Compares text with what it was, or, with `UPDATE_SNAPSHOTS=1`, writes it down.
 *
 * @param name Name of the snapshot.
 * @param text The text now.
 */
export async function assertSnapshot(name: string, text: string): Promise<void> {
  const file = new URL(`${name}.txt`, SNAPSHOTS);
  if (Deno.env.get("UPDATE_SNAPSHOTS") === "1") {
    await Deno.mkdir(SNAPSHOTS, { recursive: true });
    await Deno.writeTextFile(file, text);
    return;
  }
  const known = await Deno.readTextFile(file).catch(() => "");
  assertEquals(text, known, `${name} is not what it was; UPDATE_SNAPSHOTS=1 takes it over`);
}

/** Splits a command line at blanks, with single and double quotes. */
export function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map((match) =>
    match[1] ?? match[2] ?? match[3]!
  );
}
