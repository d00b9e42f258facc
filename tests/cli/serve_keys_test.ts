/** Keys of `btrdb serve` from files and the environment, as a process (docs/server.md, "Keys"). */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { btrdb, workspace } from "./support.ts";

// A variable that was set to nothing, as `$(cat keys.json)` is where the file is missing, counted as
// no keys: the server began and let everyone on the machine do everything.
Deno.test("serve: keys that came out empty stop it, wherever they are from", async () => {
  await using dir = await workspace();
  await Deno.writeTextFile(`${dir.path}/empty.json`, "");
  const cases: [args: string[], keys: string | undefined, source: string][] = [
    [[], "", "$BTRDB_SERVE_KEYS"],
    [[], " ", "$BTRDB_SERVE_KEYS"],
    [["--api-key", "other"], "", "$BTRDB_SERVE_KEYS"],
    [["--api-key-file", "empty.json"], undefined, "empty.json"],
  ];
  for (const [args, keys, source] of cases) {
    const env = keys === undefined ? {} : { BTRDB_SERVE_KEYS: keys };
    const line = ["serve", "memory:", "--listen", "127.0.0.1:0", ...args];
    const { code, stdout, stderr } = await btrdb(line, { cwd: dir.path, env });
    assertEquals([code, stdout], [2, ""], stderr);
    assertStringIncludes(stderr, `Cannot use ${source}: it is not JSON`);
  }
});

// Keys in JSON after --api-key-file, in place of the path, were printed with the system's error.
Deno.test("serve: keys in place of the path of their file are not repeated", async () => {
  for (const keys of ['[{"key":"s3cret"}]', ' {"key":"s3cret"}']) {
    const line = ["serve", "memory:", "--listen", "127.0.0.1:0", "--api-key-file", keys];
    const { code, stderr } = await btrdb(line);
    assertEquals(code, 2, stderr);
    assert(!stderr.includes("s3cret"), stderr);
    assertStringIncludes(stderr, "expected the path of a file with keys");
  }
});

// Of two lists of rights the last one counted, of two keys too.
Deno.test("serve: a key of which a member is there twice is refused", async () => {
  const cases = [
    '[{"key":"s3cret","capabilities":["read"],"capabilities":["admin"]}]',
    '[{"key":"s3cret","key" :"s3cret2"}]',
    '[{"key":"s3cret","collectionPrefixes":["a"],"capabilities":[],"\\u006bey":"s3cret2"}]',
  ];
  for (const BTRDB_SERVE_KEYS of cases) {
    const line = ["serve", "memory:", "--listen", "127.0.0.1:0"];
    const { code, stderr } = await btrdb(line, { env: { BTRDB_SERVE_KEYS } });
    assertEquals(code, 2, stderr);
    assert(!stderr.includes("s3cret"), stderr);
    assertStringIncludes(stderr, "a key has a member twice");
  }
});
