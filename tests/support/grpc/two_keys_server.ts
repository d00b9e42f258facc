/** A server of an empty database with the keys `honest` and `greedy`; prints its port, and ends with its standard input. */

import { connect } from "@btrdb/btrdb";
import { serve } from "../../../src/server/mod.ts";

const folder = await Deno.makeTempDir();
const db = await connect(`file:${folder}/keys.btrdb`);
const capabilities = ["read"] as const;
const server = await serve(db, {
  hostname: "127.0.0.1",
  port: 0,
  apiKeys: ["honest", "greedy"].map((key) => ({ key, capabilities })),
});
console.log(server.port);
await Deno.stdin.read(new Uint8Array(1));
await server.stop();
await db.close();
await Deno.remove(folder, { recursive: true });
