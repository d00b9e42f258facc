/**
 * Checks the links and citations of the documentation: `deno task check:links`.
 *
 * - Relative links in Markdown lead to a file that exists, and their `#fragment` to a heading in it.
 * - Comments that cite a page, `docs/protocol.md, "The tree"`, name a page and a heading that exist.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);

/** Folders without text of our own. */
const SKIPPED: ReadonlySet<string> = new Set([".git", "node_modules", "coverage", "demo-out"]);

/** A link or citation that leads nowhere. */
export interface Broken {
  /** Path from the root. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** The anchor that a Markdown heading gets. */
export function anchorOf(heading: string): string {
  return heading.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

/** The headings of a Markdown text, code blocks left out. */
export function headingsOf(markdown: string): string[] {
  const text = markdown.replace(/^```[^]*?^```/gm, "");
  return [...text.matchAll(/^#{1,6} +(.+?) *$/gm)].map((match) => match[1]!);
}

/** Relative link targets of a Markdown text with the line each stands on. */
export function linksOf(markdown: string): { target: string; line: number }[] {
  const links: { target: string; line: number }[] = [];
  const text = markdown.replace(/^```[^]*?^```/gm, (block) => block.replace(/[^\n]/g, ""));
  text.split("\n").forEach((row, i) => {
    for (const match of row.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (!/^(https?|mailto|jsr):/.test(match[1]!)) links.push({ target: match[1]!, line: i + 1 });
    }
  });
  return links;
}

/** Citations like `docs/protocol.md, "The tree"` of a source text, wrapped comments included. */
export function citationsOf(source: string): { page: string; heading?: string; line: number }[] {
  const found: { page: string; heading?: string; line: number }[] = [];
  const text = source.replace(/\n\s*(\*|\/\/) ?/g, (gap) => gap.replace(/./g, " "));
  for (const match of text.matchAll(/\b(docs\/[\w-]+\.md)(?:,\s+(?:section\s+)?"([^"]+)")?/g)) {
    const line = text.slice(0, match.index).split("\n").length;
    const heading = match[2]?.replace(/\s+/g, " ");
    found.push({ page: match[1]!, line, ...(heading === undefined ? {} : { heading }) });
  }
  return found;
}

/** All files with one of these endings, as paths from the root. */
async function listFiles(endings: readonly string[], folder = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    if (SKIPPED.has(entry.name)) continue;
    if (entry.isDirectory) files.push(...await listFiles(endings, `${folder}${entry.name}/`));
    else if (endings.some((ending) => entry.name.endsWith(ending))) files.push(folder + entry.name);
  }
  return files.sort();
}

/** Reads pages, each once; undefined for one that does not exist. */
class Pages {
  readonly #texts: Map<string, Promise<string | undefined>> = new Map();

  read(url: URL): Promise<string | undefined> {
    const known = this.#texts.get(url.pathname);
    if (known !== undefined) return known;
    const text = Deno.readTextFile(url).catch((error) => error.code === "EISDIR" ? "" : undefined);
    this.#texts.set(url.pathname, text);
    return text;
  }
}

/** The links of one Markdown file that lead nowhere. */
async function checkMarkdown(file: string, pages: Pages): Promise<Broken[]> {
  const broken: Broken[] = [];
  const here = new URL(file, ROOT);
  for (const { target, line } of linksOf((await pages.read(here))!)) {
    const url = new URL(target, here);
    const text = await pages.read(url);
    const fragment = decodeURIComponent(url.hash.slice(1));
    if (text === undefined) broken.push({ file, line, message: `no file ${target}` });
    else if (fragment !== "" && !headingsOf(text).some((h) => anchorOf(h) === fragment)) {
      broken.push({ file, line, message: `no heading ${target}` });
    }
  }
  return broken;
}

/** The citations of one source file that lead nowhere. */
async function checkSource(file: string, pages: Pages): Promise<Broken[]> {
  const broken: Broken[] = [];
  const source = await Deno.readTextFile(new URL(file, ROOT));
  for (const { page, heading, line } of citationsOf(source)) {
    const text = await pages.read(new URL(page, ROOT));
    if (text === undefined) broken.push({ file, line, message: `no page ${page}` });
    else if (heading !== undefined && !headingsOf(text).includes(heading)) {
      broken.push({ file, line, message: `no heading "${heading}" in ${page}` });
    }
  }
  return broken;
}

/** Every link and citation of the tree that leads nowhere. */
export async function checkLinks(): Promise<Broken[]> {
  const pages = new Pages();
  const broken: Broken[] = [];
  for (const file of await listFiles([".md"])) broken.push(...await checkMarkdown(file, pages));
  for (const file of await listFiles([".ts", ".proto"])) {
    if (!/^(tests\/unit\/repository\/check_links_test|tools\/check_links)\.ts$/.test(file)) {
      broken.push(...await checkSource(file, pages));
    }
  }
  return broken;
}

if (import.meta.main) {
  const broken = await checkLinks();
  for (const { file, line, message } of broken) console.error(`${file}:${line}: ${message}`);
  console.log(broken.length === 0 ? "Links: all lead somewhere" : `Links: ${broken.length} broken`);
  if (broken.length > 0) Deno.exit(1);
}
