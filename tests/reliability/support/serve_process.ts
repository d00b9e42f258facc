/**
 * A server as a process of its own, for tests that stop, kill and watch it:
 *
 *     serve_process.ts TARGET PORT [HTTP_PORT]
 *
 * Prints one JSON line when it is ready. SIGTERM stops it as the command line does: calls finish,
 * the database is closed, the exit code is 0. Whatever goes unhandled ends it with code 70.
 */

import { connect } from "../../../mod.ts";
import { serve } from "../../../src/server/mod.ts";

const [target, port, httpPort] = Deno.args;

globalThis.addEventListener("unhandledrejection", (event) => {
  console.error("unhandled rejection:", event.reason);
  Deno.exit(70);
});

const db = await connect(target, { embedded: { cacheBytes: 64 << 20 } });
const server = await serve(db, {
  port: Number(port),
  metricsPort: 0,
  ...(httpPort === undefined ? {} : { http: { port: Number(httpPort) } }),
  keepaliveMs: 2_000,
  keepaliveTimeoutMs: 2_000,
  onError: (error, { path }) => console.error("unexpected error:", path, error),
});
Deno.addSignalListener("SIGTERM", () => void server.stop({ graceMs: 2_000 }));
const { address, metricsPort } = server;
console.log(JSON.stringify({ address, metricsPort, httpPort: server.httpPort }));
await server.finished;
await db.close();
Deno.exit(0);
