/**
 * The recordings of a real server, replayed through a real gRPC connection to `serve` over the
 * embedded engine.
 */

import { assertEquals } from "@std/assert";
import { openEngine } from "../../src/engine/mod.ts";
import { serve } from "../../src/server/mod.ts";
import {
  formatDifferences,
  type GoldenScenario,
  haveGolden,
  loadScenario,
  replay,
  scenarioNames,
} from "../support/golden/recording.ts";
import { grpcCaller } from "../support/golden/grpc.ts";
import { RawClient } from "../support/grpc_client.ts";

if (!haveGolden()) console.warn("Recordings of a real server are not here: replays are skipped");

/**
 * Adapts a recorded scenario to this server. It speaks protocol v5 on the same port, and its build
 * tells clients that the recorded server's mistakes are not here.
 */
function ours(scenario: GoldenScenario): GoldenScenario {
  const steps = scenario.steps.map((step) => {
    if (step.rpc === "/v5api.BTrDB/Info") {
      return { ...step, out: { majorVersion: 5, minorVersion: 30, build: "5.30.0-deno+batches" } };
    }
    if (step.rpc === "Info") return { ...step, out: { ...step.out, build: "4.15.9-deno" } };
    return shortened(step);
  });
  return { ...scenario, steps };
}

/** This server repeats no name longer than 100 characters: an error costs less than what caused it. */
function shortened<T>(step: T): T {
  const cut = (text: string) =>
    text.replace(/"([^"]{100})[^"]+"/g, (_, name: string) => `"${name}…"`);
  const text = JSON.stringify(
    step,
    (key, value) => key === "msg" && typeof value === "string" ? cut(value) : value,
  );
  return JSON.parse(text);
}

for (const name of scenarioNames()) {
  Deno.test(`serve answers as recorded: ${name}`, async () => {
    await using endpoint = await openEngine();
    await using server = await serve(endpoint, { port: 0 });
    using client = new RawClient(server.address);
    const { differences, skipped } = await replay(ours(loadScenario(name)), grpcCaller(client));
    assertEquals(differences.length, 0, formatDifferences(name, differences));
    assertEquals(skipped, 0);
  });
}
