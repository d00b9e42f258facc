/**
 * The import graph of a package, as Deno itself parses it (`deno info --json`).
 *
 * @module
 */

/** One import of a module. */
export interface Edge {
  /** As written. */
  readonly specifier: string;
  /** Path from the root, or the package's specifier; undefined when it cannot be resolved. */
  readonly to: string | undefined;
  /** True for a package or a built-in module, false for a file of the tree. */
  readonly external: boolean;
  /** `import()`. */
  readonly dynamic: boolean;
  /** Only types: nothing is loaded at run time. */
  readonly typeOnly: boolean;
  /** Counted from 1. */
  readonly line: number;
}

/** Imports by module, both as paths from the root. */
export type Graph = ReadonlyMap<string, readonly Edge[]>;

interface Resolution {
  specifier?: string;
  error?: string;
  span: { start: { line: number } };
}

interface Dependency {
  specifier: string;
  code?: Resolution;
  type?: Resolution;
  isDynamic?: boolean;
}

interface Module {
  specifier: string;
  error?: string;
  dependencies?: Dependency[];
}

/** The package's TypeScript modules: `mod.ts` and everything in `src/`, in order. */
export async function listModules(root: URL): Promise<string[]> {
  const files: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for await (const entry of Deno.readDir(new URL(folder, root))) {
      if (entry.isDirectory) await walk(`${folder}${entry.name}/`);
      else if (entry.name.endsWith(".ts")) files.push(folder + entry.name);
    }
  };
  files.push("mod.ts");
  await walk("src/");
  return files.sort();
}

/** The module graph that `deno info` reports for one module. */
async function inspect(root: URL, file: string): Promise<Module[]> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", file],
    cwd: root,
  }).output();
  if (!success) throw new Error(`Cannot inspect ${file}: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout)).modules;
}

/** One dependency as an edge. */
function toEdge(root: URL, broken: ReadonlySet<string>, dependency: Dependency): Edge {
  const resolution = dependency.code ?? dependency.type!;
  const target = resolution.specifier;
  const isFile = target?.startsWith("file:") ?? false;
  const isMissing = target === undefined || broken.has(target);
  const path = target?.startsWith(root.href)
    ? target.slice(root.href.length)
    : target?.replace(/^npm:\//, "npm:");
  return {
    specifier: dependency.specifier,
    to: isMissing ? undefined : path,
    external: !isFile,
    dynamic: dependency.isDynamic ?? false,
    typeOnly: dependency.code === undefined,
    line: resolution.span.start.line + 1,
  };
}

/**
 * Reads the import graph of a package.
 *
 * @param root Its folder, with `mod.ts` and `src/`.
 * @returns Every module of the package with its imports.
 * @throws {Error} If Deno cannot read a module.
 */
export async function readGraph(root: URL): Promise<Graph> {
  const graph = new Map<string, Edge[]>();
  for (const file of await listModules(root)) {
    if (graph.has(file)) continue;
    const modules = await inspect(root, file);
    const broken = new Set(modules.filter((m) => m.error).map((m) => m.specifier));
    for (const module of modules) {
      if (!module.specifier.startsWith(root.href) || module.error !== undefined) continue;
      const path = module.specifier.slice(root.href.length);
      if (path !== "mod.ts" && !path.startsWith("src/")) continue;
      graph.set(path, (module.dependencies ?? []).map((d) => toEdge(root, broken, d)));
    }
  }
  return graph;
}
