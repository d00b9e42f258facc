/** Compares the documents with the public interface that they describe. */

import { assert, assertEquals } from "@std/assert";
import * as btrdb from "@btrdb/btrdb";
import { BTrDB, BTrDBError, ErrorCode, Stream, StreamSet } from "@btrdb/btrdb";

const ROOT = new URL("../../../", import.meta.url);

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

/** Every module in a folder and the folders inside it, by its path from the root. */
async function modules(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(new URL(`${folder}/`, ROOT)));
  const lists = entries.map(({ name, isDirectory }) =>
    isDirectory ? modules(`${folder}/${name}`) : [`${folder}/${name}`]
  );
  return (await Promise.all(lists)).flat();
}

Deno.test("docs/errors.md: lists every code, by its name, and says which are tried again", async () => {
  const rows = (await read("docs/errors.md")).matchAll(/^\| (\d{3}) +\| (\w+) +\|(.*)\|$/gm);
  const documented = new Map<string, number>();
  for (const [, code, name, rest] of rows) {
    documented.set(name!, Number(code));
    const again = /\| again\b/.test(rest!);
    assertEquals(again, new BTrDBError("", { code: Number(code) }).retryable, `${code} ${name}`);
  }
  assertEquals(Object.fromEntries(documented), { ...ErrorCode });
});

Deno.test("docs/errors.md: lists every status that stands without a code", async () => {
  const text = await read("docs/errors.md");
  const documented = new Set([...text.matchAll(/^\| `([A-Z_]+)` /gm)].map(([, status]) => status));
  // Statuses of gRPC, which are said to keep their names.
  const generic = new Set(["ABORTED", "INTERNAL", "UNKNOWN", "CANCELLED"]);
  const used = new Set<string>();
  for (const folder of ["src/engine", "src/grpc", "src/connect", "src/client"]) {
    for (const path of await modules(folder)) {
      const source = await read(path);
      for (const [, status] of source.matchAll(/status: "([A-Z_]+)"/g)) used.add(status!);
      for (const [, status] of source.matchAll(/^ {2}\[\d+, "[^"]+", "([A-Z_]+)"/gm)) {
        used.add(status!);
      }
    }
  }
  assert(used.size > 10, `${used.size} statuses found`);
  for (const status of used) {
    assert(documented.has(status) || generic.has(status), `${status} is not documented`);
  }
});

Deno.test("docs/clusters.md: says how many cases the contract has", async () => {
  let cases = 0;
  for (const path of await modules("tests/conformance/cases")) {
    const lists = Object.values(await import(new URL(path, ROOT).href));
    cases += lists.filter(Array.isArray).flat().length;
  }
  assert(
    (await read("docs/clusters.md")).includes(`the contract suite, ${cases} cases,`),
    `${cases}`,
  );
});

Deno.test("docs/from-python.md: everything it calls exists", async () => {
  const text = await read("docs/from-python.md");
  const here = text.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(2).join("|")).join("\n");
  const holders: Record<string, object> = {
    db: BTrDB.prototype,
    stream: Stream.prototype,
    set: StreamSet.prototype,
  };
  const calls = [...here.matchAll(/\b(db|stream|set)\.(\w+)\(/g)];
  assert(calls.length > 40, `${calls.length} calls found`);
  for (const [, holder, name] of calls) {
    assert(name! in holders[holder!]!, `${holder}.${name} does not exist`);
  }
});

Deno.test("BTrDB, Stream: every name of the reference Python client exists", () => {
  const database = [
    "streamFromUUID",
    "create",
    "info",
    "listCollections",
    "lookupStreams",
    "getMetadataUsage",
    "writeCSV",
    "rawValuesToCSV",
    "alignedWindowsToCSV",
    "windowsToCSV",
  ];
  const stream = [
    "exists",
    "refreshMeta",
    "collection",
    "tags",
    "annotations",
    "cachedAnnotations",
    "version",
    "insert",
    "rawValues",
    "alignedWindows",
    "windows",
    "deleteRange",
    "nearest",
    "changes",
    "flush",
  ];
  for (const name of database) assert(name in BTrDB.prototype, name);
  for (const name of stream) assert(name in Stream.prototype, name);
  const constants = ["MIN_TIME", "MAX_TIME", "MAX_POINTWIDTH", "NANOSECOND", "DAY"] as const;
  for (const name of constants) assert(name in btrdb, name);
});

/** The part of `deno doc --json` that is looked at. */
interface Documented {
  name: string;
  declarations: { kind: string; jsDoc?: { doc?: string; tags?: { kind: string }[] } }[];
}

Deno.test("mod.ts: every exported function, class and constant is documented with an example", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "mod.ts"],
    cwd: ROOT,
    stdout: "piped",
  });
  const { stdout } = await command.output();
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
  const symbols: Documented[] = nodes[new URL("mod.ts", ROOT).href].symbols;
  assert(symbols.length > 50, `${symbols.length} symbols found`);
  for (const { name, declarations } of symbols) {
    const { kind, jsDoc } = declarations[0]!;
    assert(jsDoc?.doc, `${name} has no documentation`);
    if (!["function", "class", "variable"].includes(kind)) continue;
    const tags = jsDoc.tags?.map((tag) => tag.kind) ?? [];
    assert(tags.includes("example"), `${name} has no example`);
  }
});
