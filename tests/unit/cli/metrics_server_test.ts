/** Metrics of a live ingest over HTTP, and who asks for them. */

import { assert, assertEquals } from "@std/assert";
import net from "node:net";
import { LiveIngest } from "../../../src/ingest/c37118/mod.ts";
import { serveMetrics } from "../../../src/cli/live/metrics_server.ts";
import { until } from "../../support/until.ts";

/** An ingest of nothing, whose database may be away. */
function reports(): { report: () => LiveIngest["report"]; away: (isAway: boolean) => void } {
  const { report } = new LiveIngest(() => Promise.reject(new Error("no database")), []);
  return { report: () => report, away: (isAway) => report.databaseAway = isAway };
}

// The port was a plain one: whoever reached it could open connections until the process had no file left
// for PMUs and the database, and have a million answers kept that it did not read.
Deno.test("serveMetrics: connections and requests ahead are bounded, as at a server's metrics port", async () => {
  const metrics = await serveMetrics(0, reports().report);
  const sockets: net.Socket[] = [];
  let closed = 0;
  const open = async (): Promise<net.Socket> => {
    const socket = net.connect(metrics.port, "127.0.0.1");
    sockets.push(socket);
    socket.on("error", () => {});
    socket.on("close", () => closed++).resume();
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    return socket;
  };
  for (let i = 0; i < 80; i++) await open();
  await until("one address has 16 of them", () => closed === 64);
  for (const socket of sockets) socket.destroy();
  await until("all are closed", () => closed === 80);
  const ahead = await open();
  ahead.write("GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(1_000));
  await until("it is closed", () => closed === 81);
  assert(ahead.bytesRead < 1_000 * 500, `${ahead.bytesRead} bytes of answers`);
  await metrics.stop();
});

Deno.test("serveMetrics: health says no while the database does not answer", async () => {
  const { report, away } = reports();
  const metrics = await serveMetrics(0, report);
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${metrics.port}${path}`);
    return [response.status, await response.text()];
  };
  assertEquals(await get("/healthz"), [200, "ok\n"]);
  away(true);
  assertEquals(await get("/healthz"), [503, "the database does not answer\n"]);
  assert(String((await get("/metrics"))[1]).includes("btrdb_ingest_database_away 1\n"));
  assertEquals((await get("/"))[0], 404);
  await metrics.stop();
});
