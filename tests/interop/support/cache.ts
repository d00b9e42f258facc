/**
 * Installs the clients of other projects for the interop tests, keeps them between runs, and runs
 * them.
 */

/** The folder for `name`, in the user's cache; made if need be. */
export async function cacheFolder(name: string): Promise<string> {
  const base = Deno.env.get("XDG_CACHE_HOME") ??
    (Deno.env.get("HOME") === undefined ? undefined : `${Deno.env.get("HOME")}/.cache`) ??
    Deno.env.get("TMPDIR") ?? "/tmp";
  const folder = `${base}/btrdb-interop/${name}`;
  await Deno.mkdir(folder, { recursive: true });
  return folder;
}

/** Tells whether a program can be run. */
export async function have(program: string, ...args: readonly string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(program, { args: [...args] }).output()).success;
  } catch {
    return false;
  }
}

/** Output and success of a program. */
export interface Ran {
  success: boolean;
  /** Standard output, then standard error. */
  text: string;
}

/** Runs a program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  const command = new Deno.Command(program, { args: [...args], ...options });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { success, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

/** A Python environment with packages from PyPI, made once. */
export async function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  const folder = await cacheFolder(name);
  const python = `${folder}/bin/python`;
  const done = `${folder}/.complete`;
  const wanted = packages.join("\n");
  try {
    if (await Deno.readTextFile(done) === wanted) return python;
  } catch {
    // Not made yet, or not to the end.
  }
  for (
    const [program, ...args] of [
      ["python3", "-m", "venv", folder],
      [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", ...packages],
    ]
  ) {
    const made = await run(program!, args);
    if (!made.success) throw new Error(`${program} ${args.join(" ")}:\n${made.text}`);
  }
  await Deno.writeTextFile(done, wanted);
  return python;
}
