/** Programs that write until they are killed. */

import { assertEquals } from "@std/assert";

/**
 * Runs a program until it is killed: from outside, in the moment it has printed so many lines, or by
 * itself (`FaultPlan.killAt`).
 *
 * @param program Path of the program.
 * @param args Its arguments.
 * @param afterLines Lines after which it is killed from outside; absent: it kills itself.
 * @returns The whole lines it printed, those after the last counted one too.
 */
export async function runUntilKilled(
  program: string,
  args: readonly string[],
  afterLines: number = Infinity,
): Promise<string[]> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", program, ...args],
    stdout: "piped",
  }).spawn();
  const lines: string[] = [];
  let rest = "";
  let isKilled = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    lines.push(...parts);
    if (lines.length < afterLines || isKilled) continue;
    isKilled = true;
    child.kill("SIGKILL");
  }
  const { signal } = await child.status;
  assertEquals(signal, "SIGKILL");
  return lines;
}
