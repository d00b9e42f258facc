/**
 * `btrdb serve` beside a database that cannot be used any more. It said nothing when its file was moved,
 * every call failed, and at the end it answered an interrupt with the status of an interrupted command,
 * as if all had been well.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { verdictOf } from "../../src/cli/errors.ts";
import { ServerErrors } from "../../src/cli/server_errors.ts";
import { btrdb, start, workspace } from "./support.ts";

Deno.test("serve: an error of its database is on stderr once, and in its exit status", async () => {
  await using dir = await workspace();
  const path = `${dir.path}/grid.btrdb`;
  const child = start(["serve", `file:${path}`, "--listen", "127.0.0.1:0", "--json"]);
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { address } = JSON.parse((await output.read()).value!) as { address: string };
  const said = new Response(child.stderr).text();
  await Deno.rename(path, `${path}-elsewhere`);
  for (const name of ["a", "b"]) {
    const made = await btrdb(["-d", address, "create", `pmu/${name}`]);
    assertEquals(made.code, 1);
    assertStringIncludes(made.stderr, "the server must be started again");
  }
  child.kill("SIGINT");
  await output.cancel();
  assertEquals((await child.status).code, 1);
  const [running = "", ending = ""] = (await said).split("Stopped\n");
  const errors = running.split("\n").filter((line) => line.startsWith("{"));
  assertEquals(errors.length, 1, running);
  const { error: { message } } = JSON.parse(errors[0]!) as { error: { message: string } };
  assertStringIncludes(message, `${path} was moved, replaced, truncated or removed`);
  assertStringIncludes(ending, "put it back and open the database again (MOVED)");
});

Deno.test("ServerErrors: each error once, on one line, and a hundred of them", () => {
  const shown: string[] = [];
  const errors = new ServerErrors((text) => shown.push(text));
  const hostile = new Error("no \u202e\x1b[2Jstream\nerror: forged");
  for (let i = 0; i < 3; i++) errors.report(hostile);
  // The first line of a message is what the command line shows of any error.
  assertEquals(shown, ["no \\u{202e}\\x1b[2Jstream"]);
  for (let i = 0; i < 1_000; i++) errors.report(new Error(`number ${i}`));
  assertEquals(shown.length, 101);
  assertStringIncludes(shown.at(-1)!, "Further errors are only counted");
});

Deno.test("verdictOf: an address that this machine does not have comes with what to look at", () => {
  const cases = [
    ["EADDRNOTAVAIL", "listen EADDRNOTAVAIL: address not available 192.0.2.1"],
    ["EINVAL", "listen EINVAL: invalid argument 192.0.2.1"],
    ["ENOTFOUND", "getaddrinfo ENOTFOUND nowhere.invalid"],
    ["EAI_AGAIN", "getaddrinfo EAI_AGAIN nowhere.invalid"],
  ];
  for (const [code, message] of cases) {
    const { exit, hint = "" } = verdictOf(Object.assign(new Error(message), { code }));
    assertEquals(exit, 1);
    assertStringIncludes(hint, "this machine has no such address; see --listen");
  }
});
