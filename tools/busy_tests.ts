/**
 * The README's test command with busy loops beside it: `deno task test:busy`.
 *
 * A test that depends on the machine's speed instead of the program fails here. The loops are
 * threads of this process, so none of them outlives it.
 *
 *     deno task test:busy          once, beside eight loops
 *     deno task test:busy 5        five times
 *     deno task test:busy 5 16     five times, beside sixteen loops
 *
 * @module
 */

import { type Outcome, runStep } from "./ok.ts";

/** A program that keeps a core busy until its thread is terminated. */
const BUSY_LOOP = "data:text/javascript,for (;;);";

function argument(at: number, name: string, otherwise: number): number {
  const text = Deno.args[at] ?? String(otherwise);
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  console.error(`Invalid number of ${name} "${text}": expected 1 to 999`);
  Deno.exit(2);
}

const runs = argument(0, "runs", 1);
const loops = argument(1, "loops", 8);
for (let i = 0; i < loops; i++) new Worker(BUSY_LOOP, { type: "module" });
const outcomes: Outcome[] = [];
while (outcomes.length < runs) outcomes.push(await runStep({ task: "test", tests: true }));
for (const [i, { seconds, passed, failed }] of outcomes.entries()) {
  console.log(`run ${i + 1}: ${Math.round(seconds)} s, ${passed} passed, ${failed} failed`);
}
const green = outcomes.filter(({ failed }) => failed === 0).length;
console.log(`${green} of ${runs} runs passed beside ${loops} busy loops`);
Deno.exit(green === runs ? 0 : 1);
