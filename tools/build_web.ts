// deno-lint-ignore-file no-console -- a command line tool
/**
 * Bundles the plotter's page (`src/web/page/`) to `src/web/app.gen.ts`: every file compressed, under
 * a name that holds the hash of its content. Two builds of the same sources give the same files.
 *
 *     deno task build:web            bundle and write
 *     deno task build:web --check    bundle and fail if the committed files differ, or are too large
 *
 * Files are compared, not their compressed bytes, which depend on the compressor.
 *
 * @module
 */

import { gzipAsync } from "@gfx/zopfli";
import { gunzipSync } from "node:zlib";

const ROOT = new URL("../", import.meta.url);
const PAGE = new URL("src/web/page/", ROOT);
const TARGET = new URL("src/web/app.gen.ts", ROOT);

/** Largest size of all files together, gzipped, bytes. */
const MAX_BYTES = 150_000;

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml; charset=utf-8",
};

/**
 * Parts that are loaded on demand, but never by a page: Arrow is another form of subscriptions, which
 * gRPC-Web cannot have, paths are for sinks outside of browsers, and corrections are for servers other
 * than `serve`, which is what serves the page.
 */
const UNUSED: readonly RegExp[] = [/^read_ipc-/, /^part_file-/, /^corrections-/];

/** Style sheets, which are one in the page; later ones change what earlier ones say. */
const STYLES: readonly string[] = [
  "page.css",
  "bar.css",
  "streams.css",
  "figure.css",
  "legend.css",
  "dialogs.css",
  "narrow.css",
];

/** Names of parts, and the end of one, which the bundler makes. */
const PART = /\b[\w-]+-[A-Z0-9]{8}\.js\b/g, PART_HASH = /-[A-Z0-9]{8}\.js$/;

/** Files of the page by their paths. */
type Files = ReadonlyMap<string, string>;

/** First characters of the SHA-256 of a text, hexadecimal. */
async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex().slice(0, 12);
}

/** Style sheets and pages without comments and indentation. */
function squeezed(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->/g, "").replace(/\n\s*/g, "\n").trim();
}

/** Style sheets without what only readers need. */
function squeezedStyle(text: string): string {
  return squeezed(text).replace(/\n/g, "").replace(/\s*([{};,])\s*/g, "$1")
    .replace(/(?<=[{;][\w-]+): /g, ":").replaceAll(";}", "}");
}

/** Bundles the scripts; parts that are loaded later are files of their own. */
async function scripts(): Promise<Map<string, string>> {
  const folder = await Deno.makeTempDir();
  try {
    const args = ["bundle", "--platform", "browser", "--minify", "--code-splitting"];
    args.push("--outdir", folder, new URL("main.ts", PAGE).pathname);
    const { success, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: ROOT })
      .output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    const files = new Map<string, string>();
    for await (const { name } of Deno.readDir(folder)) {
      files.set(name, await Deno.readTextFile(`${folder}/${name}`));
    }
    return await renamed(files);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * Names parts after their content, and that of all they lead to: the bundler's names depend on the
 * folder in which it runs. Parts may name each other in a circle, so names are made from the names of
 * the turn before, which know one part further each time.
 */
async function renamed(files: Files): Promise<Map<string, string>> {
  let names = new Map([...files.keys()].map((name) => [name, name.replace(PART_HASH, "")]));
  const known = (text: string) => text.replace(PART, (name) => names.get(name) ?? name);
  for (let turn = 0; turn <= files.size; turn++) {
    const next = new Map<string, string>();
    for (const [name, text] of files) {
      const hash = UNUSED.some((pattern) => pattern.test(name))
        ? "unused"
        : (await hashOf(known(text))).slice(0, 8);
      next.set(name, name.replace(PART_HASH, `-${hash}.js`));
    }
    names = next;
  }
  return new Map([...files].map(([name, text]) => [names.get(name)!, known(text)]));
}

/** Names of the files that can be loaded, beginning with the entry. */
function reachable(bundle: Files): Set<string> {
  const names = new Set(["main.js"]);
  for (const name of names) {
    for (
      const [, next] of bundle.get(name)!.matchAll(/(?:from|import|import\()\s*"\.\/([^"]+)"/g)
    ) {
      if (!UNUSED.some((pattern) => pattern.test(next!))) names.add(next!);
    }
  }
  return names;
}

/** Builds all files; names of assets hold hashes, so that they may be kept by browsers. */
async function build(): Promise<Files> {
  const bundle = await scripts();
  const read = async (name: string) => squeezed(await Deno.readTextFile(new URL(name, PAGE)));
  const [html, icon] = [await read("page.html"), await read("icon.svg")];
  const css = squeezedStyle((await Promise.all(STYLES.map(read))).join("\n"));
  const names = reachable(bundle);
  for (const name of [...bundle.keys()]) if (!names.has(name)) bundle.delete(name);
  const main = bundle.get("main.js")!;
  bundle.delete("main.js");
  const hashed = {
    main: `main-${await hashOf(main)}.js`,
    style: `page-${await hashOf(css)}.css`,
    icon: `icon-${await hashOf(icon)}.svg`,
  };
  const page = html.replace(/\{(main|style|icon)\}/g, (_, key: keyof typeof hashed) => hashed[key]);
  const files = new Map([["index.html", page]]);
  files.set(`assets/${hashed.main}`, main);
  files.set(`assets/${hashed.style}`, css);
  files.set(`assets/${hashed.icon}`, icon);
  for (const name of [...bundle.keys()].sort()) files.set(`assets/${name}`, bundle.get(name)!);
  return files;
}

/** The generated module's text. */
async function render(files: Files): Promise<{ text: string; bytes: number }> {
  let bytes = 0;
  const entries: string[] = [];
  for (const [path, text] of files) {
    // Made once and sent often: Zopfli's are a twenty-fifth smaller than those of zlib.
    const gzip = await gzipAsync(new TextEncoder().encode(text), { numiterations: 5 });
    bytes += gzip.length;
    const lines = gzip.toBase64().match(/.{1,96}/g) ?? [];
    entries.push(
      "  {",
      `    path: ${JSON.stringify(path)},`,
      `    type: ${JSON.stringify(TYPES[path.replace(/^.*\./, "")])},`,
      `    hash: ${JSON.stringify(await hashOf(text))},`,
      "    gzip: [",
      ...lines.map((line) => `      "${line}",`),
      "    ],",
      "  },",
    );
  }
  const text = [
    "// Generated from src/web/page/ by `deno task build:web`; do not edit.",
    "",
    "/** A file of the page. */",
    "export interface AppFile {",
    "  /** Path below the page's address; that of the page itself is `index.html`. */",
    "  readonly path: string;",
    "  /** Content type. */",
    "  readonly type: string;",
    "  /** Hash of the content. */",
    "  readonly hash: string;",
    "  /** Compressed content, base64 in lines. */",
    "  readonly gzip: readonly string[];",
    "}",
    "",
    "/** Files of the page. */",
    "export const APP_FILES: readonly AppFile[] = [",
    ...entries,
    "];",
    "",
  ].join("\n");
  return { text, bytes };
}

/** Files in the committed module. */
async function committed(): Promise<Files> {
  const { APP_FILES } = await import(TARGET.href) as typeof import("../src/web/app.gen.ts");
  return new Map(APP_FILES.map(({ path, gzip }) => [
    path,
    gunzipSync(Uint8Array.fromBase64(gzip.join(""))).toString(),
  ]));
}

const files = await build();
const { text, bytes } = await render(files);
const problems: string[] = [];
for (const [path, content] of files) {
  const imported = /(?:from|import\(|import)\s*"(node:[^"]+)"/.exec(content);
  if (imported !== null) problems.push(`${path} imports ${imported[1]}`);
}
if (bytes > MAX_BYTES) problems.push(`The page is ${bytes} bytes, expected at most ${MAX_BYTES}`);
if (Deno.args.includes("--check")) {
  const old = await committed().catch(() => new Map<string, string>());
  const differs = files.size !== old.size ||
    [...files].some(([path, content]) => old.get(path) !== content);
  if (differs) problems.push("src/web/app.gen.ts is out of date: run `deno task build:web`");
} else {
  await Deno.writeTextFile(TARGET, text);
}
console.log(`src/web/app.gen.ts: ${files.size} files, ${bytes} bytes gzipped`);
for (const problem of problems) console.error(problem);
if (problems.length > 0) Deno.exit(1);
