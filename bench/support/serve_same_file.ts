/**
 * `serve` over a database file that another process writes, for reading only:
 *
 *     deno run -A bench/support/serve_same_file.ts PATH
 *
 * Prints its port. Ends with its standard input.
 *
 * @module
 */

import { connect } from "../../mod.ts";
import { serve } from "../../src/server/mod.ts";

const db = await connect(`file:${Deno.args[0]}`, { embedded: { readOnly: true } });
const server = await serve(db, { port: 0 });
// deno-lint-ignore no-console -- whoever starts this waits for the port
console.log(server.port);
for await (const _ of Deno.stdin.readable);
await server.stop({ graceful: false });
await db.close();
Deno.exit(0);
