import { assert, assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import {
  type Answer,
  type Caller,
  goldenPoints,
  loadScenario,
  replay,
} from "../../support/golden/recording.ts";
import { haveGolden, scenarioNames } from "../../support/golden/recording.ts";
import { Fnv1a } from "../../support/golden/checksum.ts";
import { QUIRKS } from "../../support/golden/compare.ts";
import { endpointCaller } from "../../support/golden/endpoint.ts";

Deno.test("Fnv1a: checksums are FNV-1a", () => {
  const sum = (text: string) => new Fnv1a().update(new TextEncoder().encode(text)).hex();
  assertEquals(sum(""), "cbf29ce484222325");
  assertEquals(sum("a"), "af63dc4c8601ec8c");
  assertEquals(sum("foobar"), "85944171f73967e8");
});

Deno.test("goldenPoints: generated inputs follow their formula", () => {
  const formula = { formula: "lcg", base: "10", step: "5", jitter: "0", n: 6, seed: "1" };
  const { times } = goldenPoints({ ...formula, repeat: 2, burst: 2, gap: "100" });
  assertEquals([...times], [10n, 10n, 15n, 15n, 110n, 110n]);
  const plain = goldenPoints({ ...formula, kind: "ramp" });
  const moved = goldenPoints({ ...formula, kind: "ramp", stride: 5, slice: [1, 4] });
  assertEquals([...moved.times], [5, 4, 3].map((i) => plain.times[i]!));
  assertEquals([...moved.values], [5 / 8, 4 / 8, 3 / 8]);
});

/** Answers with one thing wrong, by what it is. */
const WRONG: Record<string, (answer: Answer) => Answer | undefined> = {
  "a raw value": (answer) => {
    if (!answer.raw?.times.length) return undefined;
    const values = answer.raw.values.slice();
    values[values.length >> 1]! += 0.5;
    return { ...answer, raw: { ...answer.raw, values } };
  },
  "a point less": ({ raw, ...answer }) =>
    raw?.times.length
      ? { ...answer, raw: { times: raw.times.slice(1), values: raw.values.slice(1) } }
      : undefined,
  "a window's count": (answer) => {
    if (!answer.stats?.times.length) return undefined;
    const count = answer.stats.count.slice();
    count[0]!++;
    return { ...answer, stats: { ...answer.stats, count } };
  },
  "a version": (answer) =>
    answer.versionMajor === undefined
      ? undefined
      : { ...answer, versionMajor: String(BigInt(answer.versionMajor) + 1n) },
  "a range": (answer) =>
    answer.ranges?.length ? { ...answer, ranges: answer.ranges.slice(1) } : undefined,
  "a nearest value": (answer) =>
    answer.value ? { ...answer, value: [answer.value[0], answer.value[1] + 1] } : undefined,
  "a stream's place": (answer) =>
    (answer.results?.length ?? 0) > 1
      ? { ...answer, results: [...answer.results!].reverse() }
      : undefined,
  "a text": (answer) =>
    answer.stat ? { ...answer, stat: { ...answer.stat, msg: `${answer.stat.msg}.` } } : undefined,
  "nothing": (answer) => (answer.raw ?? answer.stats ? {} : undefined),
};

/** Steps whose bug is masked so widely that not every change shows. */
const WIDE = new Set([
  "stale-major-after-delete",
  "windows-depth",
  "duplicates-truncated-1024",
  "aligned-pw61",
  "uint8-wrap",
  "stale-version-after-obliterate",
  "nearest-backward-bucket0",
  "nearest-buffer-equals",
]);

for (const [what, spoil] of Object.entries(WRONG)) {
  Deno.test(`replay: a replay notices ${what} that is wrong`, async () => {
    let spoiled = 0;
    for (const name of scenarioNames().filter((_, i) => i % 3 === 0)) {
      await using engine = await openEngine();
      const call = endpointCaller(engine);
      const changed = new Set<unknown>();
      const caller: Caller = async (step) => {
        const answer = await call(step);
        const masked = step.quirks?.some((quirk) => WIDE.has(quirk)) ?? false;
        const wrong = answer === undefined || masked ? undefined : spoil(answer);
        if (wrong === undefined) return answer;
        changed.add(step);
        return wrong;
      };
      const { differences } = await replay(loadScenario(name), caller);
      spoiled += changed.size;
      for (const { step } of differences) assert(changed.has(step));
      assertEquals(new Set(differences.map(({ step }) => step)).size, changed.size, name);
    }
    if (haveGolden()) assert(spoiled > 3, `${spoiled} answers were spoiled`);
  });
}

Deno.test("QUIRKS: every bug that is masked has a reason, and none is masked that does not occur", () => {
  if (!haveGolden()) return;
  const used = new Set(
    scenarioNames().flatMap((name) =>
      loadScenario(name).steps.flatMap((step) => step.quirks ?? [])
    ),
  );
  for (const quirk of used) assert(quirk in QUIRKS, quirk);
  // The README names one more that shows in no step.
  assertEquals(Object.keys(QUIRKS).filter((quirk) => !used.has(quirk)), ["mean-overflow"]);
});
