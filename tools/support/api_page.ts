/**
 * The page docs/api.md, made from the doc comments of every entry point.
 *
 * @module
 */

/** A doc comment as `deno doc --json` reports it. */
interface Comment {
  readonly doc?: string;
}

/** A parameter; `assign` has a default, `rest` takes all that follow. */
interface Parameter {
  readonly kind: string;
  readonly name?: string;
  readonly optional?: boolean;
  readonly left?: Parameter;
  readonly arg?: Parameter;
}

/** A property, method or constructor of a class. */
interface Member {
  readonly name: string;
  readonly kind?: string;
  readonly accessibility?: string;
  readonly isStatic?: boolean;
  readonly jsDoc?: Comment;
  readonly functionDef?: { readonly params: readonly Parameter[] };
}

/** A declaration of an exported symbol. */
interface Declaration {
  readonly kind: string;
  readonly jsDoc?: Comment;
  readonly def: {
    readonly params?: readonly Parameter[];
    readonly properties?: readonly Member[];
    readonly methods?: readonly Member[];
  };
}

/** An exported symbol; overloads are declarations of their own. */
interface Exported {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/** An entry point as `deno doc --json` reports it. */
interface Entry {
  readonly module_doc?: Comment;
  readonly symbols: readonly Exported[];
}

/** Headings of the kinds of symbols, in the order of the page. */
const GROUPS: readonly (readonly [heading: string, kinds: readonly string[]])[] = [
  ["Functions", ["function"]],
  ["Classes", ["class"]],
  ["Constants", ["variable", "enum"]],
  ["Types", ["interface", "typeAlias"]],
];

/** The first sentence of a doc comment on one line, without a full stop, links as code spans. */
export function firstSentence(doc: string): string {
  const paragraph = doc.trim().split(/\n\s*\n|\n- /)[0]!.replace(/\s+/g, " ");
  const text = paragraph.replace(/\{@link(?:code|plain)? ([^}|\s]+)[^}]*\}/g, "`$1`");
  const end = /(?<!\b(?:e\.g|i\.e))\.(?= [A-Z`"]|$)/.exec(text);
  return (end === null ? text : text.slice(0, end.index)).replace(/:$/, "");
}

/** The parameters as a caller sees them: `target?, options?`. */
function parameterList(params: readonly Parameter[]): string {
  return params.map((param) => {
    if (param.kind === "assign") return `${param.left?.name ?? "options"}?`;
    if (param.kind === "rest") return `...${param.arg?.name ?? "rest"}`;
    return `${param.name ?? "options"}${param.optional === true ? "?" : ""}`;
  }).join(", ");
}

/** One item of a list: the code of a symbol and its first sentence. */
function item(code: string, doc: string | undefined, indent = ""): string {
  return `${indent}- \`${code}\`${doc === undefined ? "" : `: ${firstSentence(doc)}`}\n`;
}

/** The public members of a class as a list below it. */
function memberList({ properties = [], methods = [] }: Declaration["def"]): string {
  const members = [...properties, ...methods].filter(({ name, accessibility }) =>
    accessibility === undefined && !name.startsWith("[")
  );
  const known = new Set<string>();
  return members.filter(({ name }) => !known.has(name) && known.add(name)).map((member) => {
    const { name, kind, functionDef, isStatic, jsDoc } = member;
    const isCall = functionDef !== undefined && kind !== "getter" && kind !== "setter";
    const call = isCall ? `(${parameterList(functionDef.params)})` : "";
    return item(`${isStatic ? "static " : ""}${name}${call}`, jsDoc?.doc, "  ");
  }).join("");
}

/** A symbol as an item, with its members if it is a class. */
function symbolItem({ name, declarations }: Exported): string {
  const { kind, jsDoc, def } = declarations[0]!;
  if (kind === "function") return item(`${name}(${parameterList(def.params ?? [])})`, jsDoc?.doc);
  return item(name, jsDoc?.doc) + (kind === "class" ? memberList(def) : "");
}

/** The section of one entry point. */
export function entrySection(specifier: string, { module_doc, symbols }: Entry): string {
  const about = module_doc?.doc === undefined ? "" : `${firstSentence(module_doc.doc)}.\n\n`;
  const groups = GROUPS.map(([heading, kinds]) => {
    const members = symbols
      .filter(({ declarations }) => kinds.includes(declarations[0]!.kind))
      .toSorted((a, b) => a.name < b.name ? -1 : 1);
    return members.length === 0 ? "" : `**${heading}**\n\n${members.map(symbolItem).join("")}\n`;
  });
  return `## ${specifier}\n\n${about}${groups.join("")}`;
}

/** Documentation of one entry point, read with `deno doc`. */
async function readEntry(file: string, root: URL): Promise<Entry> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", file],
    cwd: root,
    stdout: "piped",
    stderr: "null",
  }).output();
  if (!success) throw new Error(`deno doc failed for ${file}`);
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
  return Object.values(nodes)[0] as Entry;
}

/**
 * The whole page, not yet formatted.
 *
 * @param root Root of the repository.
 */
export async function apiPage(root: URL): Promise<string> {
  const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const sections = await Promise.all(
    Object.entries(config.exports as Record<string, string>)
      .filter(([name]) => name !== "./cli")
      .map(async ([name, file]) =>
        entrySection(`${config.name}${name.slice(1)}`, await readEntry(file, root))
      ),
  );
  return `# API

<!-- Generated by \`deno task gen:docs\` from the doc comments; do not edit. -->

This page lists the exports of every entry point. Editors and \`deno doc\` show the full documentation
of each, with parameters, errors and examples. [cli.md](cli.md) describes the command.

${sections.join("\n")}`;
}
