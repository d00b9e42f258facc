/**
 * A server in this process that says when queries of points end.
 *
 * @module
 */

import { type BTrDB, connect } from "../../mod.ts";
import type { Endpoint } from "../../src/endpoint/endpoint.ts";
import { openEngine } from "../../src/engine/mod.ts";
import { serve, type Server } from "../../src/server/mod.ts";
import { override } from "../../tests/support/override_endpoint.ts";
import { samples, START, STEP } from "./data.ts";
import { UUID } from "./served.ts";

/**
 * More points than all buffers between a query and its reader hold: those of the system and of a browser
 * took 60 MB where sockets may have 32, and a point takes 6 bytes by gRPC-Web.
 */
const POINTS = 20_000_000;

/** End of the points. */
export const WATCHED_END: bigint = START + BigInt(POINTS) * STEP;

/** A server with the stream {@linkcode UUID}, and clients by both protocols. */
export interface WatchedServer extends AsyncDisposable {
  readonly server: Server;
  readonly web: BTrDB;
  readonly grpc: BTrDB;
  /** Resolves when the next query of points ends. */
  ended(): Promise<void>;
}

/** Starts a server. */
export async function watchedServer(): Promise<WatchedServer> {
  const engine = await openEngine();
  const waiting: (() => void)[] = [];
  const rawValues: Endpoint["rawValues"] = async function* (request, call) {
    try {
      yield* engine.rawValues(request, call);
    } finally {
      waiting.shift()?.();
    }
  };
  const watched = override(engine, { rawValues });
  const server = await serve(watched, { port: 0, http: { port: 0, origins: ["*"] } });
  const web = await connect(`grpc-web://127.0.0.1:${server.httpPort}`);
  const grpc = await connect(`127.0.0.1:${server.port}`);
  await (await grpc.create(UUID, "bench")).insert(samples(POINTS));
  return {
    server,
    web,
    grpc,
    ended: () => new Promise((resolve) => waiting.push(resolve)),
    async [Symbol.asyncDispose]() {
      await web.close();
      await grpc.close();
      await server.stop({ graceful: false });
      await engine.close();
    },
  };
}
