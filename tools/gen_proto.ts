/**
 * Generates src/gen from proto. `--check` changes nothing and fails when the committed files are
 * not what the sources generate. Works offline once the two packages are in Deno's cache.
 *
 * @module
 */

const BUF_VERSION = "1.75.0";
const root = new URL("../", import.meta.url);
const committed = new URL("src/gen/", root);

/** The compiler's native program, from the npm package of this platform. */
async function bufPath(): Promise<string> {
  const arch = Deno.build.arch === "x86_64" ? "x64" : "aarch64";
  const platform = { darwin: "darwin", windows: "win32" }[Deno.build.os as string] ?? "linux";
  const macArm = platform === "darwin" && arch === "aarch64" ? "arm64" : arch;
  const name = `@bufbuild/buf-${platform}-${macArm}@${BUF_VERSION}`;
  const { stdout } = await run(Deno.execPath(), ["info", "--no-lock", "--json", `npm:${name}`]);
  const info = JSON.parse(new TextDecoder().decode(stdout)) as {
    npmPackages: Record<string, { localPath: string }>;
  };
  const found = info.npmPackages[name];
  if (found === undefined) throw new Error(`Cannot find ${name} in Deno's cache`);
  return `${found.localPath}/bin/buf${platform === "win32" ? ".exe" : ""}`;
}

/** Runs a program that finds this very Deno as `deno`. */
async function run(command: string, args: string[]): Promise<Deno.CommandOutput> {
  const separator = Deno.build.os === "windows" ? ";" : ":";
  const own = Deno.execPath().replace(/[/\\][^/\\]*$/, "");
  const env = { PATH: `${own}${separator}${Deno.env.get("PATH") ?? ""}` };
  const output = await new Deno.Command(command, { args, cwd: root, env }).output();
  if (!output.success) {
    const text = new TextDecoder().decode(output.stderr);
    throw new Error(`${command} ${args.join(" ")} exited with ${output.code}: ${text}`);
  }
  return output;
}

async function readFolder(folder: URL | string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const entry of Deno.readDir(folder)) {
    if (entry.isFile) {
      files.set(entry.name, await Deno.readTextFile(`${pathOf(folder)}/${entry.name}`));
    }
  }
  return files;
}

function pathOf(folder: URL | string): string {
  return typeof folder === "string" ? folder : folder.pathname;
}

/** Names of the files that differ, are missing or are too many. */
function differences(want: Map<string, string>, have: Map<string, string>): string[] {
  return [...new Set([...want.keys(), ...have.keys()])].sort()
    .filter((name) => want.get(name) !== have.get(name));
}

async function main(): Promise<void> {
  const target = await Deno.makeTempDir();
  try {
    const args = ["generate", "proto", "--template", "proto/buf.gen.yaml", "-o", target];
    await run(await bufPath(), args);
    const want = await readFolder(target);
    if (Deno.args.includes("--check")) {
      const wrong = differences(want, await readFolder(committed));
      if (wrong.length > 0) {
        console.error(`src/gen is not what proto generates: ${wrong.join(", ")}`);
        console.error("Run: deno task gen:proto");
        Deno.exit(1);
      }
      return;
    }
    await Deno.mkdir(committed, { recursive: true });
    for (const [name, text] of want) await Deno.writeTextFile(new URL(name, committed), text);
  } finally {
    await Deno.remove(target, { recursive: true });
  }
}

await main();
