/**
 * Checks the words of comments and pages: `deno task check:prose`.
 *
 * - No sentence of a doc comment or page begins with one of {@linkcode OPENINGS}, but for questions.
 * - No page for users and no module of the package contains one of {@linkcode WORDS}.
 * - No code span of a page is broken over two lines.
 *
 * Generated files are left out.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);

/** Folders without text of our own. */
const SKIPPED: ReadonlySet<string> = new Set([".git", "node_modules", "coverage", "demo-out"]);

/** Openings of a sentence that cannot be understood before the thing it is about has been read. */
export const OPENINGS: readonly string[] = "What How Where Whether Which Who Whoever Whom Whose"
  .split(" ");

/** Expressions that a reader would not search for, each with the usual one. */
export const WORDS: Readonly<Record<string, string>> = {
  "for ever": "permanently",
  patience: "timeout, retry limits",
  somebody: "another client, another process, anyone",
  packed: "compressed; bit-packed",
  mend: "fix, repair",
};

/** A place where a rule is broken. */
export interface Finding {
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** Number of the line, counted from 1, that contains `index`. */
function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/**
 * Doc comments, `@param` and `@returns` that begin with one of {@linkcode OPENINGS}, and sentences in
 * doc comments that do and are no questions.
 */
export function findOpenings(source: string): Finding[] {
  const words = OPENINGS.join("|");
  const first = new RegExp(`(\\/\\*\\*|@param \\S+|@returns)[\\s*]+(${words})\\b`, "g");
  const findings: Finding[] = [];
  for (const comment of source.matchAll(/^[ \t]*\/\*\*[^]*?\*\//gm)) {
    for (const match of comment[0].matchAll(first)) {
      const line = lineAt(source, comment.index + match.index + match[0].length);
      const after = match[1] === "/**" ? "the comment" : match[1];
      findings.push({ line, message: `${after} begins with "${match[2]}"` });
    }
    const prose = comment[0].replace(/^ *\* ```[^]*?```/gm, (code) => code.replace(/[^\n]/g, ""));
    for (const { line, message } of findSentences(prose)) {
      findings.push({ line: line + lineAt(source, comment.index) - 1, message });
    }
  }
  return findings;
}

/** Sentences of a text, but its first, that begin with one of {@linkcode OPENINGS} and do not ask. */
function findSentences(text: string): Finding[] {
  const later = new RegExp(`[.!?)][\\s*]+(${OPENINGS.join("|")})\\b(?=[^.!?]*[.!])`, "g");
  return [...text.matchAll(later)].map((match) => ({
    line: lineAt(text, match.index + match[0].length),
    message: `a sentence begins with "${match[1]}"`,
  }));
}

/** Paragraphs, items and sentences of a page that begin with one of {@linkcode OPENINGS}. */
export function findPageOpenings(markdown: string): Finding[] {
  const text = withoutCode(markdown);
  const first = new RegExp(`\\n\\n(?:- )?(${OPENINGS.join("|")})\\b(?=[^.!?|]*[.!:])`, "g");
  const openings = [...text.matchAll(first)].map((match) => ({
    line: lineAt(text, match.index + match[0].length),
    message: `a paragraph begins with "${match[1]}"`,
  }));
  const known = new Set(openings.map(({ line }) => line));
  const sentences = findSentences(text).filter(({ line }) => !known.has(line));
  return [...openings, ...sentences].sort((a, b) => a.line - b.line);
}

/** A page with its blocks of code emptied, so that lines keep their numbers. */
function withoutCode(markdown: string): string {
  return markdown.replace(/^```[^]*?^```/gm, (block) => block.replace(/[^\n]/g, ""));
}

/** Occurrences of {@linkcode WORDS}, also across wrapped lines of a comment or a page. */
export function findWords(text: string): Finding[] {
  return Object.entries(WORDS).flatMap(([word, better]) => {
    const pattern = new RegExp(`(?<![-\\w])${word.replace(" ", "[\\s*/]+")}(?!\\w)`, "gi");
    return [...text.matchAll(pattern)].map((match) => ({
      line: lineAt(text, match.index),
      message: `"${word}": say ${better}`,
    }));
  }).sort((a, b) => a.line - b.line);
}

/** Code spans of a Markdown text that begin on one line and end on another. */
export function findBrokenSpans(markdown: string): Finding[] {
  const text = withoutCode(markdown);
  return [...text.matchAll(/(?<!`)`[^`\n]+\n(?!\n)[^`\n]+`/g)]
    .filter((match) => isOpening(text, match.index))
    .map((match) => ({
      line: lineAt(text, match.index),
      message: "a code span is broken over two lines",
    }));
}

/** True if the backtick at `index` begins a code span, because those before it on its line pair up. */
function isOpening(text: string, index: number): boolean {
  const line = text.slice(text.lastIndexOf("\n", index - 1) + 1, index);
  return line.split("`").length % 2 === 1;
}

/** All TypeScript and Markdown files that people wrote, as paths from the root. */
async function listFiles(folder = ""): Promise<string[]> {
  const files: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder, ROOT))) {
    const path = folder + entry.name;
    if (SKIPPED.has(entry.name) || path === "src/gen") continue;
    if (entry.isDirectory) files.push(...await listFiles(`${path}/`));
    else if (/\.(ts|md)$/.test(path) && !path.endsWith(".gen.ts")) files.push(path);
  }
  return files.sort();
}

/** All findings of the tree, each as `file:line: message`. */
export async function checkProse(): Promise<string[]> {
  const lines: string[] = [];
  for (const file of await listFiles()) {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    const forUsers = file.startsWith("src/") || file === "mod.ts" || file.endsWith(".md");
    const findings = [
      ...file.endsWith(".ts") ? findOpenings(text) : [],
      ...forUsers && file !== "CONTRIBUTING.md" ? findWords(text) : [],
      ...file.endsWith(".md") ? [...findPageOpenings(text), ...findBrokenSpans(text)] : [],
    ];
    lines.push(...findings.map(({ line, message }) => `${file}:${line}: ${message}`));
  }
  return lines;
}

if (import.meta.main) {
  const lines = await checkProse();
  for (const line of lines) console.error(line);
  console.log(lines.length === 0 ? "Prose: ok" : `Prose: ${lines.length} to change`);
  if (lines.length > 0) Deno.exit(1);
}
