/** The package as publishing would upload it, for tests that use it from outside. */

import { runDeno } from "./run.ts";

/**
 * Compiler of TypeScript to JavaScript. It is not in deno.lock, so that only these tests download
 * it.
 */
export const ESBUILD = "npm:esbuild@0.28.2";

const ROOT = new URL("../../", import.meta.url);

/** Paths, from the root, of the files that `deno publish` would upload. */
export async function publishedFiles(): Promise<string[]> {
  const { code, stdout, stderr } = await runDeno(["publish", "--dry-run", "--allow-dirty"], {
    cwd: ROOT,
  });
  if (code !== 0) throw new Error(`deno publish --dry-run failed:\n${stderr}`);
  const urls = (stdout + stderr).matchAll(/^ +(file:\/\/\S+) \(/gm);
  const files = [...urls].map(([, url]) => decodeURIComponent(url!.slice(ROOT.href.length)));
  if (files.length === 0) throw new Error(`deno publish --dry-run listed no files:\n${stderr}`);
  return files;
}

/** Copies the published files, and nothing else, to `folder`. */
export async function copyPublished(folder: string): Promise<string[]> {
  const files = await publishedFiles();
  for (const file of files) {
    const target = `${folder}/${file}`;
    await Deno.mkdir(target.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.copyFile(new URL(file, ROOT), target);
  }
  return files;
}

/** The part of `deno.json` that the npm form of the package is made from. */
interface Manifest {
  name: string;
  version: string;
  exports: Record<string, string>;
  imports: Record<string, string>;
}

/** Package name and version range of an `npm:` specifier. */
function npmPackage(specifier: string): { name: string; range: string } | undefined {
  const match = /^npm:((?:@[^/]+\/)?[^@/]+)@([^/]+)/.exec(specifier);
  return match === null ? undefined : { name: match[1]!, range: match[2]! };
}

/** Specifier of an import in the npm form of a published module. */
function rewriteSpecifier(specifier: string): string {
  if (specifier.startsWith(".")) return specifier.replace(/\.ts$/, ".js");
  const npm = npmPackage(specifier);
  return npm === undefined
    ? specifier
    : npm.name + specifier.slice(`npm:${npm.name}@${npm.range}`.length);
}

/** Rewrites the specifiers of imports and exports, static and dynamic. */
function rewriteImports(code: string): string {
  return code.replace(
    /(\bfrom\s*|\bimport\s*\(\s*|\bimport\s*)(["'])([^"'\n]+)\2/g,
    (_all, before, quote, specifier) => before + quote + rewriteSpecifier(specifier) + quote,
  );
}

/**
 * Makes of published files what the registry makes of them for npm: JavaScript beside a
 * `package.json`, with the packages of the import map as dependencies.
 *
 * @param from Folder with the published files.
 * @param to Folder for the npm form.
 * @param files Paths of the files.
 */
export async function writeNpmForm(
  from: string,
  to: string,
  files: readonly string[],
): Promise<void> {
  const { transform, stop } = await import(ESBUILD);
  const dependencies: Record<string, string> = {};
  try {
    for (const file of files.filter((name) => name.endsWith(".ts"))) {
      const source = await Deno.readTextFile(`${from}/${file}`);
      for (const match of source.matchAll(/["'](npm:[^"']+)["']/g)) {
        const npm = npmPackage(match[1]!);
        if (npm !== undefined) dependencies[npm.name] = npm.range;
      }
      const { code } = await transform(source, { loader: "ts", format: "esm", target: "node20" });
      const target = `${to}/${file.replace(/\.ts$/, ".js")}`;
      await Deno.mkdir(target.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.writeTextFile(target, rewriteImports(code));
    }
  } finally {
    await stop();
  }
  const manifest: Manifest = JSON.parse(await Deno.readTextFile(`${from}/deno.json`));
  await Deno.writeTextFile(`${to}/package.json`, packageJson(manifest, dependencies));
}

/** The `package.json` of the npm form. */
function packageJson(manifest: Manifest, found: Record<string, string>): string {
  const dependencies = { ...found };
  for (const specifier of Object.values(manifest.imports)) {
    const npm = npmPackage(specifier);
    if (npm !== undefined) dependencies[npm.name] = npm.range;
  }
  for (const name of ["fast-check", "esbuild", "@gfx/zopfli"]) delete dependencies[name];
  const entries = Object.entries(manifest.exports).map(([k, v]) => [k, rewriteSpecifier(v)]);
  return JSON.stringify({
    name: manifest.name,
    version: manifest.version,
    type: "module",
    exports: Object.fromEntries(entries),
    dependencies,
  });
}
