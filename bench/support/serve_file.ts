/**
 * `serve` over a database file, in a process of its own:
 *
 *     deno run -A bench/support/serve_file.ts POINTS [WORKERS [PATH]]
 *
 * The file has one stream of so many points, {@linkcode UUID}. Prints its ports, of gRPC and of HTTP. Ends with its
 * standard input, and takes a file without a path with it.
 *
 * @module
 */

import { connect } from "../../mod.ts";
import { serve } from "../../src/server/mod.ts";
import { samples } from "./data.ts";
import { UUID } from "./served.ts";

const given = Deno.args[2];
const folder = given === undefined ? await Deno.makeTempDir({ prefix: "btrdb-bench-" }) : undefined;
const db = await connect(`file:${given ?? `${folder}/served.btrdb`}`);
const stream = await db.create(UUID, "bench/served");
await stream.insert(samples(Number(Deno.args[0])));
await stream.flush();
const server = await serve(db, {
  port: 0,
  workers: Number(Deno.args[1] ?? 0),
  http: { port: 0, origins: ["*"], write: { maxStreams: 1_000_000 } },
});
// deno-lint-ignore no-console -- whoever starts this waits for the port
console.log(server.port, server.httpPort);
for await (const _ of Deno.stdin.readable);
await server.stop({ graceful: false });
await db.close();
if (folder !== undefined) await Deno.remove(folder, { recursive: true });
Deno.exit(0);
