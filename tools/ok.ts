/**
 * Everything that CI runs, in its order: `deno task ok`.
 *
 * Runs every step, also after one has failed, and ends with a table of the steps and one line
 * `N passed, N failed`: tests as they counted themselves, and one for every other step.
 *
 *     deno task ok             all steps
 *     deno task ok lint test   only these
 *     deno task ok -test       all but these
 *
 * @module
 */

/** A task of `deno.json`. */
export interface Step {
  readonly task: string;
  /** It counts its own passes and failures. */
  readonly tests?: boolean;
  /** Its tests need programs that not every machine has: none of them may have run. */
  readonly optional?: boolean;
}

/** Cheap steps first, so that a slip is known at once. */
const STEPS: readonly Step[] = [
  { task: "check:fmt" },
  { task: "check:lint" },
  { task: "check:layers" },
  { task: "check:links" },
  { task: "check:prose" },
  { task: "check:types" },
  { task: "check:bench" },
  { task: "check:doc" },
  { task: "check:docs" },
  { task: "check:proto" },
  { task: "check:wasm" },
  { task: "check:web" },
  { task: "check:publish" },
  { task: "test", tests: true },
  { task: "check:consumer", tests: true },
  { task: "interop", tests: true, optional: true },
];

/** Outcome of a step. */
export interface Outcome {
  readonly task: string;
  readonly seconds: number;
  readonly passed: number;
  readonly failed: number;
}

/** Copies `stream` to our own output while keeping its text. */
async function tee(stream: ReadableStream<Uint8Array>, to: typeof Deno.stdout): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length;) at += await to.write(chunk.subarray(at));
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

/**
 * Adds up the summaries that a step's tests printed, `ok | 12 passed (3 steps) | 0 failed`.
 *
 * @param text Output of the step, without colours.
 * @param success True if it exited with 0.
 * @param optional True if a success without any test counts as one.
 * @returns Passed and failed tests; a failure that no summary admits counts as one.
 */
export function countTests(
  text: string,
  success: boolean,
  optional = false,
): { passed: number; failed: number } {
  let passed = 0;
  let failed = 0;
  for (const match of text.matchAll(/\| (\d+) passed(?: \([^)]*\))? \| (\d+) failed/g)) {
    passed += Number(match[1]);
    failed += Number(match[2]);
  }
  if (success && passed === 0 && !optional) return { passed: 0, failed: failed + 1 };
  return { passed, failed: success ? failed : Math.max(failed, 1) };
}

/**
 * Runs one task of `deno.json`, copying what it prints.
 *
 * @returns Duration, and its tests as they counted themselves.
 */
export async function runStep(step: Step): Promise<Outcome> {
  const began = performance.now();
  console.log(`\n── ${step.task}`);
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", step.task],
    cwd: new URL("../", import.meta.url),
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [out, err, { success }] = await Promise.all([
    tee(child.stdout, Deno.stdout),
    tee(child.stderr, Deno.stderr),
    child.status,
  ]);
  const seconds = (performance.now() - began) / 1000;
  const counts = step.tests
    ? countTests(out + err, success, step.optional)
    : { passed: success ? 1 : 0, failed: success ? 0 : 1 };
  return { task: step.task, seconds, ...counts };
}

/** Steps that the arguments name, or do not name behind a `-`; all of them without arguments. */
export function chooseSteps(words: readonly string[]): readonly Step[] {
  const isLeftOut = words.every((word) => word.startsWith("-"));
  const names = isLeftOut ? words.map((word) => word.slice(1)) : words;
  const isNamed = ({ task }: Step): boolean =>
    names.some((name) => task === name || task === `check:${name}`);
  const named = STEPS.filter(isNamed);
  if (named.length < names.length) {
    const tasks = STEPS.map(({ task }) => task).join(", ");
    throw new RangeError(`Cannot run ${words.join(", ")}: the steps are ${tasks}`);
  }
  return isLeftOut ? STEPS.filter((step) => !isNamed(step)) : named;
}

if (import.meta.main) {
  const outcomes: Outcome[] = [];
  for (const step of chooseSteps(Deno.args)) outcomes.push(await runStep(step));
  console.log("");
  for (const { task, seconds, passed, failed } of outcomes) {
    const verdict = failed > 0 ? "FAILED" : "ok";
    console.log(
      `${task.padEnd(16)} ${verdict.padEnd(7)} ${seconds.toFixed(1).padStart(6)} s ` +
        `${String(passed).padStart(5)} passed ${String(failed).padStart(3)} failed`,
    );
  }
  const sum = (key: "passed" | "failed"): number => outcomes.reduce((n, o) => n + o[key], 0);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
  if (sum("failed") > 0) Deno.exit(1);
}
