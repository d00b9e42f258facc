/**
 * Clients that read a stream from beginning to end, again and again, as fast as they can, each over a
 * connection of its own:
 *
 *     deno run -A bench/support/read_flat_out.ts ADDRESS POINTS CLIENTS
 *
 * Prints 0 (it has no port) once every client has got points. Ends with its standard input.
 *
 * @module
 */

import { connect } from "../../mod.ts";
import { START, STEP } from "./data.ts";
import { UUID } from "./served.ts";

const [address, points, clients] = Deno.args;
const end = START + BigInt(points!) * STEP;
let reading = 0;

async function read(): Promise<void> {
  const db = await connect(address!);
  const stream = db.streamFromUUID(UUID);
  for (let first = true;;) {
    for await (const { times } of stream.rawValues(START, end)) {
      if (!first || times.length === 0) continue;
      first = false;
      // deno-lint-ignore no-console -- whoever starts this waits for it
      if (++reading === Number(clients)) console.log(0);
    }
  }
}

for (let i = 0; i < Number(clients); i++) {
  read().catch((error) => {
    // deno-lint-ignore no-console -- a bench without its load must not pass for one
    console.error(error);
    Deno.exit(1);
  });
}
for await (const _ of Deno.stdin.readable);
Deno.exit(0);
