/** Frames that a network doubles. */

import { assertEquals } from "@std/assert";
import { createSocket } from "node:dgram";
import { connect } from "../../../../mod.ts";
import {
  type Configuration,
  DataLayout,
  encodeConfiguration,
  encodeValues,
  type IngestReport,
  LiveIngest,
  simulatedConfiguration,
  simulatedValues,
} from "../../../../src/ingest/c37118/mod.ts";
import { until } from "../../../support/until.ts";

const SOC = 1_700_000_000;
/** Frames 3 and 4 are lost; three come again, two of them late. */
const TICKS = [0, 1, 2, 2, 5, 1, 2];

/** Frames sent one by one in datagrams, into a database; returns the counts and the number of points there. */
async function ingestedFrames(
  configuration: Configuration,
  frames: readonly Uint8Array[],
  mergePolicy: "never" | "replace",
): Promise<IngestReport & { points: number }> {
  await using db = await connect("memory:");
  let port = 0;
  const live = new LiveIngest(() => Promise.resolve(db), ["c37118+udp://127.0.0.1:0"], {
    everyMs: 20,
    mergePolicy,
    onEvent: (text) => port = Number(/listening on port (\d+)/.exec(text)?.[1] ?? port),
  });
  const stop = new AbortController();
  const running = live.run(stop.signal);
  await until("it listens", () => port > 0);
  const socket = createSocket("udp4");
  const all = [...encodeConfiguration(configuration, { soc: SOC, fraction: 0 }), ...frames];
  for (const [i, frame] of all.entries()) {
    socket.send(frame, port, "127.0.0.1");
    await until("it has come", () => live.report.sources[0]!.frames > i);
  }
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  stop.abort();
  const report = await running;
  let points = 0;
  for await (const stream of db.lookupStreams("", { isCollectionPrefix: true })) {
    points += Number(await stream.count());
  }
  return { ...report, points };
}

// Datagrams that a network had doubled were stored again: on a database that cannot replace, each point
// was there twice. A doubled one that was late was taken for one of those counted as lost, so that two
// lost frames became none.
Deno.test("LiveIngest: doubled frames give no second point, and lost ones stay lost", async () => {
  const configuration = simulatedConfiguration({ id: 7, rate: 10 });
  const layout = new DataLayout(configuration);
  const frames = TICKS.map((tick) => {
    const values = simulatedValues(configuration, SOC, tick, 1);
    return encodeValues(layout, values, { soc: SOC, fraction: tick * 100_000 });
  });
  const report = await ingestedFrames(configuration, frames, "never");
  const { points, stored, sources: [source] } = report;
  assertEquals([source!.lost, source!.late, source!.repeated], [2, 0, 3]);
  assertEquals(source!.conflicts, 0);
  const columns = layout.slots + layout.stations.length;
  assertEquals([points, stored], [4 * columns, 4 * columns]);
});

// The second before a leap second and the leap second have the same times. The points of the first one
// were replaced, and no count said so.
Deno.test("LiveIngest: frames of one time with other values are counted", async () => {
  const configuration = simulatedConfiguration({ id: 7, rate: 10 });
  const layout = new DataLayout(configuration);
  const frames = [0, 1, 2, 0, 1, 2, 3].map((tick, i) => {
    const values = simulatedValues(configuration, SOC, i, 1);
    return encodeValues(layout, values, { soc: SOC, fraction: tick * 100_000 });
  });
  const { stored, sources: [source] } = await ingestedFrames(configuration, frames, "replace");
  assertEquals([source!.conflicts, source!.late, source!.repeated, source!.lost], [3, 2, 1, 0]);
  assertEquals(stored, 7 * (layout.slots + layout.stations.length));
});
