import { assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import {
  formatDifferences,
  haveGolden,
  loadScenario,
  replay,
  scenarioNames,
} from "../../support/golden/recording.ts";
import { endpointCaller } from "../../support/golden/endpoint.ts";

if (!haveGolden()) console.warn("Recordings of a real server are not here: replays are skipped");

for (const name of scenarioNames()) {
  Deno.test(`Engine: answers as recorded: ${name}`, async () => {
    await using endpoint = await openEngine();
    const { differences } = await replay(loadScenario(name), endpointCaller(endpoint));
    assertEquals(differences.length, 0, formatDifferences(name, differences));
  });
}
