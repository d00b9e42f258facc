import { assertEquals } from "@std/assert";

/**
 * Everything in deno.lock is downloaded by whoever first runs anything in a clone, so only what the
 * package and its tests import may be in it; tools and benches run with `--no-lock`.
 */
Deno.test("deno.lock: nothing but what the package and its tests import", async () => {
  const read = (name: string): Promise<string> =>
    Deno.readTextFile(new URL(`../../../${name}`, import.meta.url));
  const lock = JSON.parse(await read("deno.lock"));
  const { imports } = JSON.parse(await read("deno.json"));
  // A file of a package is the package.
  const packages = Object.values<string>(imports).flatMap((value) =>
    /^npm:(?:@[^/]+\/)?[^/]+/.exec(value) ?? []
  );
  const used: string[] = [...new Set(packages)];
  used.push(/npm:deno-std@[\d.]+/.exec(await read("tests/support/std_assert.ts"))![0]);
  assertEquals(Object.keys(lock.specifiers).sort(), used.sort());
});
