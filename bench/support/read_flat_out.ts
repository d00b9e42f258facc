/**
 * Clients that read a stream from beginning to end, again and again, as fast as they can, each over a
 * connection of its own:
 *
 *     deno run -A bench/support/read_flat_out.ts ADDRESS POINTS CLIENTS [WIDTH]
 *
 * With a width, ns, they read windows. Prints 0 (it has no port) once every client has got points. Ends
 * with its standard input, and then prints how many points or windows all of them have got since.
 *
 * @module
 */

import { connect } from "../../mod.ts";
import { START, STEP } from "./data.ts";
import { UUID } from "./served.ts";

const [address, points, clients, width] = Deno.args;
const end = START + BigInt(points!) * STEP;
let reading = 0, count = 0;

async function read(): Promise<void> {
  const db = await connect(address!);
  const stream = db.streamFromUUID(UUID);
  for (let first = true;;) {
    const query = width === undefined
      ? stream.rawValues(START, end)
      : stream.windows(START, end, BigInt(width));
    for await (const { times } of query) {
      if (reading === Number(clients)) count += times.length;
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
// deno-lint-ignore no-console -- whoever started this reads it
console.log(count);
Deno.exit(0);
