/**
 * Phasors on a processor that rounds products before it adds them: the same properties hold there.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { extendedArena } from "../../src/kernel/extended_arena.ts";
import { phasorArena } from "../../src/kernel/phasor_arena.ts";

const ROOT = new URL("../../", import.meta.url);
/** V8 then multiplies and adds in two steps, as on a processor without the instruction. */
const WITHOUT = "--v8-flags=--no-enable-fma3";

async function deno(...args: string[]): Promise<{ success: boolean; text: string }> {
  const command = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  });
  const { success, stdout, stderr } = await command.output();
  return { success, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

/** True on processors whose fused instruction the flag switches off. */
const switchable = Deno.build.arch === "x86_64" &&
  phasorArena(8).exports !== extendedArena(8).exports;
if (!switchable) console.warn("skipped, this processor has no fused instruction to switch off");

Deno.test({
  name: "phasorArena: without fused instructions the extended kernel serves, as exactly",
  ignore: !switchable,
  async fn() {
    const code = `import { extendedArena } from "./src/kernel/extended_arena.ts";
      import { phasorArena } from "./src/kernel/phasor_arena.ts";
      console.log(phasorArena(8) === extendedArena(8));`;
    const chosen = await deno("eval", WITHOUT, code);
    assertEquals(chosen.text.trim(), "true");
    const tests = await deno("test", "-A", "--no-check", WITHOUT, "tests/property/phasor_test.ts");
    assert(tests.success, tests.text);
  },
});
