/**
 * A database behind a gRPC port, and a client that talks to it. Python and Go clients can, too.
 *
 *     deno run --allow-net --allow-env examples/serve_and_connect.ts
 */

import { connect, SECOND } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";

await using db = await connect("memory:");
await using server = await serve(db, { port: 0 });

await using client = await connect(`127.0.0.1:${server.port}`);
const info = await client.info();
console.log(`BTrDB ${info.majorVersion}.${info.minorVersion}, protocol ${info.protocol}`);

const stream = await client.create(crypto.randomUUID(), "remote", { tags: { name: "x" } });
await stream.insert(Array.from({ length: 100 }, (_, i) => [BigInt(i) * SECOND, i]));

const { times, mean } = await stream.windows(0n, 100n * SECOND, 25n * SECOND).collect();
console.log(`${times.length} windows with means ${mean.join(", ")}`);
