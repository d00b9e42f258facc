/** Running programs as a user does, and reading what they print. */

/** What a finished process left. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a process. */
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
  { cwd, env = {}, timeoutMs = 120_000 }: RunOptions = {},
): Promise<Finished> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  try {
    const { code, stdout, stderr } = await new Deno.Command(command, {
      args: [...args],
      env: { NO_COLOR: "1", ...env },
      signal: timeout.signal,
      stdin: "null",
      ...(cwd === undefined ? {} : { cwd }),
    }).output();
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
