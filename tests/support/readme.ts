/** Parts of the README that tests execute. */

const README = new URL("../../README.md", import.meta.url);

/** The text of the section under `heading`, its own headings included. */
export async function readmeSection(heading: string): Promise<string> {
  const text = await Deno.readTextFile(README);
  const level = heading.match(/^#+/)![0].length;
  const from = text.indexOf(`\n${heading}\n`);
  if (from < 0) throw new Error(`The README has no heading "${heading}"`);
  const rest = text.slice(from + heading.length + 2);
  const end = rest.search(new RegExp(`^#{1,${level}} `, "m"));
  return end < 0 ? rest : rest.slice(0, end);
}

/** The fenced code blocks of one language. */
export function codeBlocks(markdown: string, language: string): string[] {
  const fence = new RegExp("^```" + language + "\\n([^]*?)^```", "gm");
  return [...markdown.matchAll(fence)].map((match) => match[1]!);
}

/** The program of the quick start. */
export async function quickStart(): Promise<string> {
  const blocks = codeBlocks(await readmeSection("## Quick start"), "ts");
  if (blocks.length !== 1) throw new Error(`The quick start has ${blocks.length} programs, not 1`);
  return blocks[0]!;
}

/**
 * The permission flags that the README lists for a target.
 *
 * @param target As in the first column of the table, without the code marks.
 * @returns Flags for `deno run`; none when the table says so.
 */
export async function permissionsOf(target: string): Promise<string[]> {
  const table = await readmeSection("### Permissions");
  const row = table.split("\n").find((line) => line.startsWith(`| \`${target}\``));
  if (row === undefined) throw new Error(`The README lists no permissions for ${target}`);
  return row.split("|")[2]!.match(/--[\w-]+(=[^\s`]+)?/g) ?? [];
}
