/**
 * Every recorded scenario through the client, against a server that answers as the real one did,
 * byte for byte. If the real server was wrong, the client must answer what the engine does.
 */

import { assert, assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { compareAnswer } from "../../support/golden/compare.ts";
import type { Answer, GoldenStep } from "../../support/golden/recording.ts";
import {
  type Difference,
  formatDifferences,
  haveGolden,
  loadScenario,
  scenarioNames,
} from "../../support/golden/recording.ts";
import { endpointCaller } from "../../support/golden/endpoint.ts";
import { GoldenServer } from "../../support/server_process.ts";

/** Its answers are only summed up in the recording, and making its points takes longest. */
const LARGE = "big_500k";

/** Bugs that no client can see through: what is lost is lost, and sums come as they were formed. */
const INVISIBLE = new Set(["duplicates-truncated-1024", "mean-overflow"]);

/** Differences between the client's answer and the one without the real server's bugs. */
function corrected(step: GoldenStep, got: Answer, wanted: Answer): string[] {
  const quirks = step.quirks ?? [];
  if (quirks.length === 0 || quirks.some((quirk) => INVISIBLE.has(quirk))) {
    return compareAnswer(step, got);
  }
  const differences: string[] = [];
  const expect = (what: string, a: unknown, b: unknown) => {
    try {
      assertEquals(a, b);
    } catch {
      differences.push(`${what}: ${show(a)}, without the bug ${show(b)}`);
    }
  };
  expect("stat", got.stat, wanted.stat);
  expect("versionMajor", got.versionMajor, wanted.versionMajor);
  expect("versionMinor", got.versionMinor, wanted.versionMinor);
  expect("raw", got.raw, wanted.raw);
  expect("times", got.stats?.times, wanted.stats?.times);
  expect("min", zeroed(got.stats?.min), zeroed(wanted.stats?.min));
  expect("max", zeroed(got.stats?.max), zeroed(wanted.stats?.max));
  expect("count", got.stats?.count, wanted.stats?.count);
  expect("mean", meansDiffer(got, wanted), false);
  expect("value", got.value, wanted.value);
  expect("results", got.results, wanted.results);
  expect("tags", got.tags, wanted.tags);
  expect("annotations", got.annotations, wanted.annotations);
  return differences;
}

function zeroed(column: Float64Array | undefined): number[] | undefined {
  return column === undefined ? undefined : Array.from(column, (value) => value + 0);
}

function meansDiffer({ stats: a }: Answer, { stats: b }: Answer): boolean {
  if (a === undefined || b === undefined) return a !== b;
  return a.mean.some((mean, i) => {
    const scale = Math.max(Math.abs(b.min[i]!), Math.abs(b.max[i]!));
    return !(Math.abs(mean - b.mean[i]!) <= 1e-9 * scale || Object.is(mean, b.mean[i]));
  });
}

function show(value: unknown): string {
  return Deno.inspect(value, { depth: 4, iterableLimit: 8, breakLength: Infinity }).slice(0, 300);
}

Deno.test({
  name: "connectGrpc: recordings of a real server through the client",
  ignore: !haveGolden(),
  async fn(t) {
    await using server = await GoldenServer.start();
    let recorded = 0;
    for (const name of scenarioNames().filter((name) => name !== LARGE)) {
      await t.step(name, async () => {
        recorded += await replay(server, name);
      });
    }
    // All calls that the client does not replace by safer ones were answered from the recordings.
    assert(recorded > 1500, `${recorded} recorded answers were given`);
  },
});

async function replay(server: GoldenServer, name: string): Promise<number> {
  await server.load(name);
  const { quirks, steps } = loadScenario(name);
  await using engine = await openEngine();
  const client = await connectGrpc({ addresses: [server.address], retry: false });
  const callClient = endpointCaller(client);
  const callEngine = endpointCaller(engine);
  const differences: Difference[] = [];
  try {
    for (const [index, step] of steps.entries()) {
      await server.step(index);
      const wanted = quirks.length === 0 ? {} : await callEngine(step);
      const got = await callClient(step);
      if (got === undefined || wanted === undefined) continue;
      for (const what of corrected(step, got, wanted)) differences.push({ index, step, what });
    }
  } finally {
    await client.close();
  }
  assertEquals(differences.length, 0, formatDifferences(name, differences));
  return await server.step(-1);
}
