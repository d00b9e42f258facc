/**
 * Checks who imports whom (docs/architecture.md, "Layers"): every import of every module of the
 * package against {@linkcode RULES}, circles of files and of folders, and `Deno.*` or `console` in
 * library code.
 *
 *     deno task check:layers [ROOT]
 *
 * Prints one `file:line: what is wrong` a violation and exits with 1 if there is any.
 *
 * @module
 */

import { type Edge, type Graph, readGraph } from "./support/module_graph.ts";

/** Imports that the modules of one layer may have, beside modules of the same layer. */
export interface Rule {
  /** Layers, or single files by their path from the root. */
  readonly may: readonly string[];
  /** Imported only by `import()`, so that who does not need them never loads them. */
  readonly lazily?: readonly string[];
  /** Imported only as types. */
  readonly types?: readonly string[];
  /** Packages and `node:` modules, by the beginning of the specifier. */
  readonly packages?: readonly string[];
  /** True if `Deno.*` and `console` may be used: this code is a program, not a library. */
  readonly program?: boolean;
}

const ENTRIES = [
  "mod.ts",
  "src/kernel/mod.ts",
  "src/server/mod.ts",
  "src/ingest/mod.ts",
  "src/io/arrow.ts",
  "src/io/parquet.ts",
  "src/ingest/c37118/mod.ts",
  "src/ingest/comtrade/mod.ts",
  "src/web/mod.ts",
  "src/analysis/phasor.ts",
  "src/distil/mod.ts",
];

/** A layer is a folder of `src/`, or a file that stands on its own. */
export const RULES: Readonly<Record<string, Rule>> = {
  core: { may: [] },
  kernel: { may: ["core"] },
  endpoint: { may: ["core"] },
  gen: { may: [], packages: ["npm:@bufbuild/protobuf"] },
  arrow: { may: ["core"], packages: ["npm:@uwdata/flechette", "node:"] },
  csv: { may: ["core", "kernel", "endpoint"], packages: ["node:"] },
  grpc: {
    may: ["core", "kernel", "endpoint", "gen"],
    lazily: ["arrow"],
    packages: ["npm:@grpc/grpc-js", "npm:@bufbuild/protobuf", "node:"],
  },
  engine: { may: ["core", "kernel", "endpoint"], packages: ["node:"] },
  client: {
    may: ["core", "kernel", "endpoint", "csv"],
    lazily: ["arrow", "io"],
    packages: ["node:"],
  },
  server: {
    may: [
      "core",
      "kernel",
      "endpoint",
      "gen",
      "csv",
      "src/client/endpoint_of.ts",
      "src/client/patch.ts",
    ],
    types: ["src/client/btrdb.ts"],
    lazily: ["arrow", "io", "src/web/app.gen.ts"],
    packages: ["npm:@grpc/grpc-js", "npm:@bufbuild/protobuf", "node:"],
  },
  io: {
    may: ["core", "kernel", "arrow", "csv"],
    packages: ["npm:@uwdata/flechette", "npm:hyparquet", "node:"],
  },
  connect: {
    may: ["core", "endpoint", "client"],
    lazily: ["grpc", "engine", "notebook"],
    packages: ["npm:yaml", "node:"],
  },
  analysis: { may: ["core", "kernel", "client"] },
  distil: { may: ["core", "client", "analysis"] },
  ingest: {
    may: ["core", "kernel", "csv", "client", "arrow", "io"],
    packages: ["npm:yaml", "node:"],
  },
  web: {
    may: ["core", "kernel", "endpoint", "client", "analysis", "grpc", "plot"],
    lazily: ["io"],
  },
  plot: { may: ["core", "kernel"], packages: ["node:"], program: true },
  notebook: { may: ["core", "kernel", "plot"] },
  cli: {
    may: [
      "core",
      "plot",
      "src/csv/part_file.ts",
      "src/csv/text_rows.ts",
      "src/csv/time_text.ts",
      "src/client/stream_paths.ts",
      "src/server/metrics_http.ts",
      "src/web/plotter/view_changes.ts",
      "src/web/plotter/view_fragment.ts",
      "src/web/plotter/view_state.ts",
      "deno.json",
      ...ENTRIES,
    ],
    packages: ["npm:string-width", "node:"],
    program: true,
  },
  "mod.ts": { may: ["core", "kernel", "endpoint", "client", "analysis", "connect"] },
};

/** The rules as rows of the table in docs/architecture.md, "Layers". */
export function layerTable(): string[] {
  const code = (name: string): string =>
    name.includes("/") || name.includes(".") ? `\`${name}\`` : name;
  return Object.entries(RULES).map(([layer, { may, lazily = [], types = [], packages = [] }]) => {
    const entries = may.includes(ENTRIES[0]!) && ENTRIES.every((entry) => may.includes(entry));
    const imports = [
      ...may.filter((name) => !entries || !ENTRIES.includes(name)).map(code),
      ...(entries ? ["the public entries"] : []),
      ...lazily.map((name) => `lazily ${code(name)}`),
      ...types.map((name) => `types of ${code(name)}`),
    ];
    const names = packages.map((name) => `\`${name.replace(/^npm:/, "")}\``);
    const cells = [`\`${layer}\``, imports.join(", ") || "–", names.join(", ") || "–"];
    return `| ${cells.join(" | ")} |`;
  });
}

/** Something that is not as the rules say. */
export interface Violation {
  /** Path from the root. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

/** The layer of a file: its own rule, or its folder in `src/`; undefined outside the package. */
export function layerOf(file: string): string | undefined {
  if (Object.hasOwn(RULES, file)) return file;
  return /^src\/(\w+)\//.exec(file)?.[1];
}

/** Tells whether `file` or its layer is in `list`. */
function isListed(file: string, list: readonly string[]): boolean {
  return list.includes(file) || list.includes(layerOf(file) ?? "");
}

/** The rule that an import breaks, in words; undefined if none. */
function problemOf(from: string, edge: Edge): string | undefined {
  const layer = layerOf(from);
  const rule = RULES[layer ?? ""];
  if (layer === undefined || rule === undefined) return `${from} belongs to no layer`;
  if (edge.to === undefined) return `cannot find ${edge.specifier}`;
  if (edge.external) {
    const isAllowed = (rule.packages ?? []).some((prefix) => edge.to!.startsWith(prefix));
    return isAllowed ? undefined : `${layer} may not import the package ${edge.to}`;
  }
  if (layerOf(edge.to) === layer || isListed(edge.to, rule.may)) return undefined;
  if (edge.typeOnly && isListed(edge.to, rule.types ?? [])) return undefined;
  if (isListed(edge.to, rule.lazily ?? [])) {
    const isLazy = edge.dynamic || edge.typeOnly;
    return isLazy ? undefined : `${layer} must import ${edge.to} lazily, with import()`;
  }
  return `${layer} may not import ${
    layerOf(edge.to) ?? "anything outside the package"
  } (${edge.to})`;
}

/** Every import that no rule allows. */
export function checkImports(graph: Graph): Violation[] {
  const found: Violation[] = [];
  for (const [file, edges] of graph) {
    for (const edge of edges) {
      const message = problemOf(file, edge);
      if (message !== undefined) found.push({ file, line: edge.line, message });
    }
  }
  return found;
}

/** The files of the package that a file imports, in whatever way. */
function importsOf(graph: Graph, file: string): Edge[] {
  return (graph.get(file) ?? []).filter((edge) => edge.to !== undefined && !edge.external);
}

/**
 * Every import cycle, each once, at the import that closes it. Types and `import()` count: a circle
 * of files cannot be read in any order, whenever they are loaded.
 */
export function checkCycles(graph: Graph): Violation[] {
  const found: Violation[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    path.push(file);
    for (const edge of importsOf(graph, file)) {
      if (done.has(edge.to!)) continue;
      const at = path.indexOf(edge.to!);
      if (at < 0) visit(edge.to!);
      else {
        const cycle = [...path.slice(at), edge.to].join(" → ");
        found.push({ file, line: edge.line, message: `import cycle ${cycle}` });
      }
    }
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) if (!done.has(file)) visit(file);
  return found;
}

/**
 * The room of a file: its layer, and in layers that have folders its folder or itself, e.g.
 * `core`, `grpc/transport` and `grpc/endpoint.ts`.
 */
function roomsOf(graph: Graph): (file: string) => string {
  const divided = new Set<string>();
  for (const file of graph.keys()) {
    const [, layer, rest] = /^src\/(\w+)\/(.+)$/.exec(file) ?? [];
    if (rest?.includes("/")) divided.add(layer!);
  }
  return (file) => {
    const [, layer, rest] = /^src\/(\w+)\/(.+)$/.exec(file) ?? [];
    if (layer === undefined) return file;
    return divided.has(layer) ? `${layer}/${rest!.replace(/\/.*$/, "")}` : layer;
  };
}

/** Every import between two rooms that import each other, be it by way of others. */
export function checkRooms(graph: Graph): Violation[] {
  const room = roomsOf(graph);
  const next = new Map<string, Set<string>>();
  const edges: { file: string; line: number; from: string; to: string }[] = [];
  for (const file of graph.keys()) {
    for (const edge of importsOf(graph, file)) {
      const [from, to] = [room(file), room(edge.to!)];
      if (from === to) continue;
      edges.push({ file, line: edge.line, from, to });
      if (!next.has(from)) next.set(from, new Set());
      next.get(from)!.add(to);
    }
  }
  const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
    from === to ||
    [...next.get(from) ?? []].some((one) => !seen.has(one) && reaches(one, to, seen.add(one)));
  return edges.filter(({ from, to }) => reaches(to, from)).map(({ file, line, from, to }) => ({
    file,
    line,
    message: `${from} and ${to} import each other`,
  }));
}

/** The layers by level: those on the first import no other layer, the rest only lower ones. */
export function levelsOf(graph: Graph): string[][] {
  const next = new Map<string, Set<string>>();
  for (const file of graph.keys()) {
    const layer = layerOf(file) ?? file;
    if (!next.has(layer)) next.set(layer, new Set());
    for (const edge of importsOf(graph, file)) next.get(layer)!.add(layerOf(edge.to!) ?? edge.to!);
  }
  const levels: string[][] = [];
  const below = new Set<string>();
  while (below.size < next.size) {
    const level = [...next.keys()].filter((layer) =>
      !below.has(layer) &&
      [...next.get(layer)!].every((one) => one === layer || below.has(one) || !next.has(one))
    );
    if (level.length === 0) break; // Layers in a circle: checkRooms names their imports.
    for (const layer of level) below.add(layer);
    levels.push(level);
  }
  return levels;
}

/** Every use of `Deno.*` and `console` in library code, which runs on Node too and logs nothing. */
export function checkGlobals(file: string, source: string): Violation[] {
  if (RULES[layerOf(file) ?? ""]?.program === true) return [];
  const found: Violation[] = [];
  source.split("\n").forEach((text, i) => {
    const code = text.replace(/^\s*(\*|\/\*|\/\/).*$/, "").replace(/\s\/\/ .*$/, "")
      .replace(/"[^"]*"/g, '""');
    const used = /(?<![\w.])(Deno|console)\./.exec(code)?.[1];
    if (used !== undefined) {
      found.push({ file, line: i + 1, message: `library code may not use ${used}.*` });
    }
  });
  return found;
}

/**
 * Checks a whole package.
 *
 * @param root Its folder, with `mod.ts` and `src/`.
 * @param graph Its imports.
 * @returns The violations by file and line; empty when there are none.
 */
export async function checkLayers(root: URL, graph?: Graph): Promise<Violation[]> {
  graph ??= await readGraph(root);
  const found = [...checkImports(graph), ...checkCycles(graph), ...checkRooms(graph)];
  for (const file of graph.keys()) {
    found.push(...checkGlobals(file, await Deno.readTextFile(new URL(file, root))));
  }
  return found.sort((a, b) => a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line);
}

if (import.meta.main) {
  const root = Deno.args[0] === undefined
    ? new URL("../", import.meta.url)
    : new URL(`${Deno.args[0].replace(/\/$/, "")}/`, `file://${Deno.cwd()}/`);
  const graph = await readGraph(root);
  const found = await checkLayers(root, graph);
  for (const { file, line, message } of found) console.error(`${file}:${line}: ${message}`);
  const verdict = found.length === 0 ? "no violation" : `${found.length} violations`;
  console.log(`Layers: ${verdict}, ${levelsOf(graph).length} levels`);
  if (found.length > 0) Deno.exit(1);
}
