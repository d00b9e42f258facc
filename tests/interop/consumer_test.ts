/**
 * A project in another folder that has only what publishing would upload, and uses the package by
 * its name: under Deno with the permissions that the README lists, and under Node.
 */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { permissionsOf, quickStart } from "../support/readme.ts";
import { copyPublished, ESBUILD, writeNpmForm } from "../support/published.ts";
import { PROGRAM, surviveStops } from "../support/grpc/survive_stops.ts";
import { type Finished, run, runDeno, withFolder } from "../support/run.ts";

/** The first Node that has `node:sqlite` without a flag. */
const NODE_22 = ["-y", "node@22.13.0"];

/** Another runtime for JavaScript, from npm like the rest. */
const BUN = ["-y", "bun@1.4.5"];

/** Graceful stops that clients on Node live through. */
const STOPS = Number(Deno.env.get("GOAWAY_STOPS") ?? 40);

/** Last line of the quick start, on every runtime. */
const LAST_LINE = "600 points now, 1200 in version 11";

/** Fails with all that the process said unless it ended well. */
function assertDone({ code, stdout, stderr }: Finished): void {
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}\n${stderr}`);
}

/** A folder with the package and a consumer of it beside each other. */
async function withConsumer(body: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await copyPublished(`${folder}/package`);
    await Deno.mkdir(`${folder}/consumer`);
    await Deno.writeTextFile(
      `${folder}/consumer/deno.json`,
      JSON.stringify({
        links: ["../package"],
        imports: { "@btrdb/btrdb": "jsr:@btrdb/btrdb@^0.1.0" },
      }),
    );
    await body(folder);
  });
}

Deno.test("consumer: only what belongs to the package would be uploaded", async () => {
  await withFolder(async (folder) => {
    const files = await copyPublished(folder);
    const strange = files.filter((file) =>
      !/^(deno\.json|mod\.ts|README\.md|LICENSE|CHANGELOG\.md|docs\/(internals\/)?[\w-]+\.md|src\/.+\.(ts|proto))$/
        .test(file)
    );
    assertEquals(strange, []);
    assertEquals(["mod.ts", "LICENSE", "README.md"].filter((f) => !files.includes(f)), []);
  });
});

for (const target of ["memory:", "file:grid.btrdb"]) {
  Deno.test(`consumer: Deno runs the quick start by the package's name on ${target}`, async () => {
    await withConsumer(async (folder) => {
      const program = (await quickStart()).replace(`"memory:"`, `"${target}"`);
      await Deno.writeTextFile(`${folder}/consumer/quick_start.ts`, program);
      const finished = await runDeno(
        ["run", "--no-prompt", "--check", ...await permissionsOf(`"${target}"`), "quick_start.ts"],
        { cwd: `${folder}/consumer` },
      );
      assertDone(finished);
      assertEquals(finished.stdout.trimEnd().split("\n").at(-1), LAST_LINE);
    });
  });
}

/** A Node project that has the npm form of the package installed. */
async function withNodeProject(body: (project: string, folder: string) => Promise<void>) {
  await withFolder(async (folder) => {
    const files = await copyPublished(`${folder}/package`);
    await writeNpmForm(`${folder}/package`, `${folder}/npm`, files);
    const project = `${folder}/consumer`;
    await Deno.mkdir(project);
    await Deno.writeTextFile(
      `${project}/package.json`,
      JSON.stringify({ type: "module", dependencies: { "@btrdb/btrdb": "file:../npm" } }),
    );
    const install = ["install", "--no-audit", "--no-fund", "--install-links", "--omit=dev"];
    assertDone(await run("npm", install, { cwd: project }));
    await body(project, folder);
  });
}

/** The quick start as JavaScript that every supported Node reads. */
async function quickStartForNode(project: string): Promise<string> {
  const { transform, stop } = await import(ESBUILD);
  try {
    const { code } = await transform(await quickStart(), { loader: "ts", target: "node20" });
    await Deno.writeTextFile(`${project}/quick_start.mjs`, code);
  } finally {
    await stop();
  }
  return "quick_start.mjs";
}

/** Uses the kernel, then a server at the address in the first argument. */
const CLUSTER_PROGRAM = `
import { connect, SECOND } from "@btrdb/btrdb";
import { sortPoints } from "@btrdb/btrdb/kernel";

const columns = sortPoints({
  times: BigInt64Array.from([3n, 1n, 2n], (i) => i * SECOND),
  values: Float64Array.of(3, 1, 2),
});
console.log("sorted", columns.values.join(" "));

const db = await connect(process.argv[2]);
const stream = await db.create(crypto.randomUUID(), "node/" + crypto.randomUUID());
await stream.insert(columns);
const { values } = await stream.rawValues(0n, 10n * SECOND).collect();
console.log("read", values.join(" "));
console.log("nearest", (await stream.nearest(2n * SECOND)).value);
await db.close();

try {
  await (await connect("memory:")).close();
  console.log("embedded: available");
} catch (error) {
  console.log("embedded:", error.message);
}
`;

/** Makes every kind of call with a time limit and a signal, first running, then aborted. */
const LIMITED_PROGRAM = `
import { connect, SECOND, StreamSet } from "@btrdb/btrdb";

async function all(iterable) {
  const items = [];
  for await (const item of iterable) items.push(item);
  return items;
}
async function* slowly() {
  yield { times: BigInt64Array.of(4n * SECOND), values: Float64Array.of(4) };
}
const signal = new AbortController().signal;
const limits = { timeoutMs: 600_000, signal };
const columns = { times: BigInt64Array.of(1n * SECOND, 2n * SECOND), values: Float64Array.of(1, 2) };

const db = await connect(process.argv[2], limits);
const [start, end] = [0n, 10n * SECOND];
const collection = "node/limits" + crypto.randomUUID();
const stream = await db.create(crypto.randomUUID(), collection, { tags: { name: "a" }, ...limits });
const set = new StreamSet([stream]);
const csv = { start, end, streams: [{ stream }] };
const calls = {
  info: (o) => db.info(o),
  create: (o) => db.create(crypto.randomUUID(), collection + "/b", o),
  lookupStreams: (o) => all(db.lookupStreams(collection, o)),
  listCollections: (o) => all(db.listCollections("node", o)),
  getMetadataUsage: (o) => db.getMetadataUsage("node", o),
  sql: (o) => all(db.sql("SELECT name FROM streams", [], o)),
  exists: (o) => stream.exists(o),
  refreshMeta: (o) => stream.refreshMeta(o),
  collection: (o) => stream.refreshMeta(o).then(() => stream.collection(o)),
  tags: (o) => stream.refreshMeta(o).then(() => stream.tags(o)),
  annotations: (o) => stream.annotations(o),
  setAnnotations: (o) => stream.setAnnotations({ a: "1" }, o),
  setTags: (o) => stream.setTags({ tags: { unit: "volts" } }, o),
  version: (o) => stream.version(o),
  fullVersion: (o) => stream.fullVersion(o),
  insert: (o) => stream.insert(columns, o),
  insertSource: (o) => stream.insert(slowly(), o),
  patch: (o) => stream.patch(columns, o),
  patchSource: (o) => stream.patch(slowly(), o),
  deleteRange: (o) => stream.deleteRange(8n * SECOND, 9n * SECOND, o),
  flush: (o) => stream.flush(o),
  rawValues: (o) => stream.rawValues(start, end, o).collect(),
  alignedWindows: (o) => stream.alignedWindows(start, end, 30, o).collect(),
  windows: (o) => stream.windows(start, end, SECOND, o).collect(),
  nearest: (o) => stream.nearest(SECOND, o),
  earliest: (o) => stream.earliest(o),
  latest: (o) => stream.latest(o),
  count: (o) => stream.count(o),
  changes: (o) => all(stream.changes(0n, 0n, 30, o)),
  pinVersions: (o) => set.pinVersions(o),
  versions: (o) => set.versions(o),
  values: (o) => set.values(start, end, o),
  rows: (o) => all(set.rows(start, end, o)),
  writeCSV: (o) => db.writeCSV(() => {}, { queryType: "raw", ...csv, ...o }),
  writeCSVStream: (o) => db.writeCSV(new WritableStream(), { queryType: "raw", ...csv, ...o }),
  windowsToCSV: (o) => db.windowsToCSV(() => {}, { width: SECOND, ...csv, ...o }),
  subscribe: async (o) => {
    const updates = db.subscribe([stream], o);
    let isHeard = false;
    const first = updates.next().finally(() => isHeard = true);
    first.catch(() => {});
    // Nothing says when the subscription has reached the server.
    while (!isHeard && !o.signal.aborted) await stream.insert([[5n * SECOND, 5]], o);
    await first;
    await updates.return();
  },
  obliterate: (o) => db.create(crypto.randomUUID(), collection + "/c", limits)
    .then((other) => other.obliterate(o)),
};
const failures = [];
for (const [name, call] of Object.entries(calls)) {
  let late;
  const limit = new Promise((_, reject) => late = setTimeout(() => reject("hangs"), 600_000));
  await Promise.race([call(limits), limit]).catch((error) => failures.push(name + ": " + error));
  clearTimeout(late);
  const reason = new Error("enough");
  const aborted = { timeoutMs: 60_000, signal: AbortSignal.abort(reason) };
  const thrown = await call(aborted).then(() => "nothing", (error) => error);
  if (thrown !== reason) failures.push(name + ", aborted: " + thrown);
}
await db.close();
console.log(Object.keys(calls).length + " calls", failures.length === 0 ? "fine" : failures);
`;

/**
 * A server of our own, in a process of its own, for the time of `body`, which gets its targets over
 * gRPC and over gRPC-Web.
 */
async function withServer(folder: string, body: (targets: string[]) => Promise<void>) {
  const program = `
    import { connect } from "@btrdb/btrdb";
    import { serve } from "@btrdb/btrdb/server";
    const db = await connect("memory:");
    const server = await serve(db, { port: 0, http: { port: 0, pages: false } });
    console.log("127.0.0.1:" + server.port + " grpc-web://127.0.0.1:" + server.httpPort);
    await new Response(Deno.stdin.readable).text();
    await server.stop();
    await db.close();`;
  await Deno.writeTextFile(`${folder}/serve.ts`, program);
  const config = JSON.stringify({
    links: ["./package"],
    imports: { "@btrdb/btrdb": "jsr:@btrdb/btrdb@^0.1.0" },
  });
  await Deno.writeTextFile(`${folder}/deno.json`, config);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "serve.ts"],
    cwd: folder,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const { value: targets } = await reader.read();
    await body((targets ?? "").trim().split(" "));
  } finally {
    await child.stdin.close();
    while (!(await reader.read()).done);
    assertEquals((await child.status).code, 0);
  }
}

/** Fails unless {@linkcode CLUSTER_PROGRAM} printed what it should before it came to `embedded`. */
function assertCluster({ stdout }: Finished, embedded: string): void {
  const lines = stdout.trimEnd().split("\n");
  assertEquals(lines.slice(0, 3), ["sorted 1 2 3", "read 1 2 3", "nearest 2"]);
  assertStringIncludes(lines[3]!, embedded);
}

Deno.test("consumer: Node, the kernel and a server by gRPC and gRPC-Web on any version, embedded where it has SQLite", async () => {
  await withNodeProject(async (project, folder) => {
    await Deno.writeTextFile(`${project}/cluster.mjs`, CLUSTER_PROGRAM);
    await Deno.writeTextFile(`${project}/limits.mjs`, LIMITED_PROGRAM);
    const version = (await run("node", ["--version"])).stdout.trim();
    const [major, minor] = version.slice(1).split(".").map(Number) as [number, number];
    const hasSqlite = major > 22 || (major === 22 && minor >= 13);
    await withServer(folder, async (targets) => {
      assertMatch(targets.join(" "), /^127\.0\.0\.1:\d+ grpc-web:\/\/127\.0\.0\.1:\d+$/);
      for (const [program, ...args] of hasSqlite ? [["node"]] : [["node"], ["npx", ...NODE_22]]) {
        for (const target of targets) {
          const finished = await run(program!, [...args, "cluster.mjs", target], { cwd: project });
          assertDone(finished);
          assertCluster(finished, hasSqlite || program === "npx" ? "available" : "node:sqlite");
          const limited = await run(program!, [...args, "limits.mjs", target], { cwd: project });
          assertDone(limited);
          assertMatch(limited.stdout, /^\d+ calls fine\n$/);
        }
      }
    });

    const program = await quickStartForNode(project);
    const finished = hasSqlite
      ? await run("node", [program], { cwd: project })
      : await run("npx", [...NODE_22, program], { cwd: project });
    assertDone(finished);
    assertEquals(finished.stdout.trimEnd().split("\n").at(-1), LAST_LINE);
  });
});

Deno.test("consumer: Bun, the kernel, a server by gRPC and gRPC-Web, and a database file", async () => {
  await withNodeProject(async (project, folder) => {
    await Deno.writeTextFile(`${project}/cluster.mjs`, CLUSTER_PROGRAM);
    await withServer(folder, async (targets) => {
      for (const target of targets) {
        const finished = await run("npx", [...BUN, "cluster.mjs", target], { cwd: project });
        assertDone(finished);
        assertCluster(finished, "available");
      }
    });
    const program = await quickStartForNode(project);
    const code = await Deno.readTextFile(`${project}/${program}`);
    await Deno.writeTextFile(`${project}/file.mjs`, code.replace("memory:", "file:grid.btrdb"));
    const finished = await run("npx", [...BUN, "file.mjs"], { cwd: project });
    assertDone(finished);
    assertEquals(finished.stdout.trimEnd().split("\n").at(-1), LAST_LINE);
  });
});

Deno.test("consumer: clients on Node outlive every graceful stop of their server", async () => {
  await withNodeProject(async (project) => {
    await Deno.copyFile(PROGRAM, `${project}/graceful_client.mjs`);
    await surviveStops({ program: "node", args: ["graceful_client.mjs"], cwd: project }, STOPS);
  });
});
