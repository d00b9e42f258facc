/** Frames that a network doubles. */

import { assertEquals } from "@std/assert";
import { createSocket } from "node:dgram";
import { connect } from "../../../../mod.ts";
import {
  DataLayout,
  encodeConfiguration,
  encodeValues,
  LiveIngest,
  simulatedConfiguration,
  simulatedValues,
} from "../../../../src/ingest/c37118/mod.ts";
import { until } from "../../../support/until.ts";

const SOC = 1_700_000_000;
/** Frames 3 and 4 are lost; three come again, two of them late. */
const TICKS = [0, 1, 2, 2, 5, 1, 2];

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
  await using db = await connect("memory:");
  let port = 0;
  const live = new LiveIngest(() => Promise.resolve(db), ["c37118+udp://127.0.0.1:0"], {
    everyMs: 20,
    mergePolicy: "never",
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
  const { stored, sources: [source] } = await running;
  assertEquals([source!.lost, source!.late, source!.repeated], [2, 0, 3]);
  let points = 0;
  for await (const stream of db.lookupStreams("", { isCollectionPrefix: true })) {
    points += Number(await stream.count());
  }
  const columns = layout.slots + layout.stations.length;
  assertEquals([points, stored], [4 * columns, 4 * columns]);
});
