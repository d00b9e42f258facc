/**
 * Checks that `./web` is fit for a page: bundled for a browser it imports nothing of `node:`, is
 * small, and comes out the same each time.
 *
 *     deno task check:web
 *
 * Prints the sizes and exits with 1 if something is not so.
 *
 * @module
 */

import { gzipSync } from "node:zlib";

/** Largest size of what a page loads at first, gzipped, bytes. */
const MAX_BYTES = 95_000;

/** Files of a bundle by their names. */
type Bundle = ReadonlyMap<string, string>;

/** Bundles `./web`, with a file of its own for each part that is loaded later. */
async function bundle(): Promise<Bundle> {
  const folder = await Deno.makeTempDir();
  try {
    const args = ["bundle", "--platform", "browser", "--minify", "--code-splitting"];
    args.push("--outdir", folder, "src/web/mod.ts");
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const files = new Map<string, string>();
    for await (const { name } of Deno.readDir(folder)) {
      files.set(name, await Deno.readTextFile(`${folder}/${name}`));
    }
    return files;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Names of the files that `name` cannot do without, itself included. */
function statically(files: Bundle, name: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const [, file] of files.get(name)!.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) {
    statically(files, file!, seen);
  }
  return seen;
}

/**
 * The size of a text as it travels, packed once and for all. The names of parts have a hash of where the
 * sources lie, so another folder would make it a few bytes longer or shorter: each counts as zeros.
 */
function gzipped(text: string): number {
  return gzipSync(text.replace(/-[0-9A-Z]{8}(?=\.js")/g, "-00000000"), { level: 9 }).length;
}

const [first, second] = [await bundle(), await bundle()];
const problems: string[] = [];
for (const [name, text] of first) {
  if (second.get(name) !== text) problems.push(`${name} comes out differently each time`);
  const imported = /(?:from|import\(|import)\s*"(node:[^"]+)"/.exec(text);
  if (imported !== null) problems.push(`${name} imports ${imported[1]}`);
}
const atFirst = statically(first, "mod.js");
let bytes = 0;
for (const name of atFirst) bytes += gzipped(first.get(name)!);
let later = 0;
for (const [name, text] of first) if (!atFirst.has(name)) later += gzipped(text);
console.log(`./web: ${bytes} bytes gzipped at first, ${later} when they are needed`);
if (bytes > MAX_BYTES) problems.push(`./web is larger than ${MAX_BYTES} bytes`);
for (const problem of problems) console.error(problem);
if (problems.length > 0) Deno.exit(1);
