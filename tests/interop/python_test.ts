/**
 * The Python packages `btrdb` from PyPI, unchanged, against `serve`. Their program is
 * `python/suite.py`; environments are made once, in the user's cache folder.
 */

import { assert, assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { openEngine } from "../../src/engine/mod.ts";
import { serve, type ServeOptions } from "../../src/server/mod.ts";
import { makeCertificate } from "../support/certificate.ts";
import { have, pythonWith, run } from "./support/cache.ts";

const SUITE = new URL("python/suite.py", import.meta.url).pathname;

/** A release, what else it needs, and what it can do. */
const RELEASES = [
  {
    version: "5.15.1",
    packages: ["btrdb==5.15.1", "pandas"],
    // Its generated messages are older than what protobuf's native part takes.
    env: { PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION: "python" },
    checks: [
      "info",
      "create_and_metadata",
      "insert_and_read",
      "large_insert",
      "windows",
      "merge_policies",
      "collections",
      "streamset",
      "sql",
      "delete_and_obliterate",
      "errors",
    ],
  },
  {
    version: "5.34.2",
    packages: ["btrdb==5.34.2", "pandas", "pyarrow"],
    env: {},
    checks: [
      "info",
      "create_and_metadata",
      "insert_and_read",
      "large_insert",
      "windows",
      "merge_policies",
      "collections",
      "streamset",
      "arrow",
      "arrow_streamset",
      "sql",
      "delete_and_obliterate",
      "errors",
    ],
  },
] as const;

const ignore = !(await have("python3", "-c", "import venv, ensurepip"));
if (ignore) console.warn("python3 with venv and pip is not here: the Python clients are skipped");

/** Runs the suite against a server that is there, and checks that every check was made. */
async function runAgainst(
  release: typeof RELEASES[number],
  checks: readonly string[],
  address: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<void> {
  const python = await pythonWith(`btrdb-${release.version}`, release.packages);
  const { success, text } = await run(python, [SUITE, address, ...args], {
    env: { ...release.env, ...env },
  });
  assert(success, text);
  assertEquals(text.match(/^version .*$/m)?.[0], `version ${release.version}`);
  assertEquals([...text.matchAll(/^ok (.*)$/gm)].map((match) => match[1]), [...checks]);
}

/** Runs the suite against `serve`. */
async function runSuite(
  release: typeof RELEASES[number],
  options: ServeOptions,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<void> {
  const unexpected: unknown[] = [];
  await using endpoint = await openEngine();
  await using server = await serve(endpoint, {
    ...options,
    onError: (error) => unexpected.push(error),
  });
  const address = options.tls === undefined ? server.address : `localhost:${server.port}`;
  await runAgainst(release, release.checks, address, args, env);
  assertEquals(unexpected, []);
}

/** Features that a database of v4 does not have, behind any proxy. */
const V5_ONLY: ReadonlySet<string> = new Set(["create_and_metadata", "merge_policies", "sql"]);

for (const release of RELEASES) {
  Deno.test({
    name: `Python btrdb ${release.version} works through a proxy over v4`,
    ignore,
    async fn() {
      await using endpoint = await openEngine();
      await using server = await serve(endpoint, { port: 0 });
      await using between = await connect(`127.0.0.1:${server.port}`, { protocol: "v4" });
      await using proxy = await serve(between, { port: 0 });
      const checks = release.checks.filter((check) => !V5_ONLY.has(check));
      await runAgainst(release, checks, proxy.address, ["", "--without", [...V5_ONLY].join()], {});
    },
  });
}

for (const release of RELEASES) {
  Deno.test({
    name: `Python btrdb ${release.version} works against serve`,
    ignore,
    fn: () => runSuite(release, { port: 0 }, []),
  });
}

Deno.test({
  name: "Python btrdb 5.34.2 works over TLS with an API key",
  ignore: ignore || !(await isFree(4411)),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const tls = await makeCertificate(folder);
      const apiKeys = [{
        key: "interop-key",
        capabilities: ["read", "insert", "delete", "obliterate", "admin"] as const,
      }];
      const options = { port: 4411, hostname: "127.0.0.1", tls, apiKeys };
      await runSuite(RELEASES[1], options, ["interop-key"], { BTRDB_CA_BUNDLE: tls.cert });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** The client takes only this port to mean TLS. */
function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    console.warn(`Port ${port} is in use: the Python client over TLS is skipped`);
    return false;
  }
}
