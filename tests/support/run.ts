/** Running programs as a user does, and reading what they print. */

import { HANG_MS } from "./until.ts";

/** Exit status and output of a finished process. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of running a process. */
export interface RunOptions {
  readonly cwd?: string | URL;
  readonly env?: Record<string, string>;
  /** Kills it after so many ms. */
  readonly timeoutMs?: number;
}

/** Runs a program to its end, without colours. */
export async function run(
  command: string,
  args: readonly string[],
  { cwd, env = {}, timeoutMs = HANG_MS }: RunOptions = {},
): Promise<Finished> {
  const child = new Deno.Command(command, {
    args: [...args],
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(cwd === undefined ? {} : { cwd }),
  }).spawn();
  // Rejects instead of waiting for the output: a grandchild may hold it open for ever.
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    late.reject(new Error(`${command} ${args.join(" ")} did not end within ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    const { code, stdout, stderr } = await Promise.race([child.output(), late.promise]);
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  } finally {
    clearTimeout(timer);
  }
}

/** Runs this very Deno. */
export function runDeno(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run(Deno.execPath(), args, options);
}

/** A temporary folder for the time of `body`. */
export async function withFolder<T>(body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "btrdb-" }));
  try {
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
