/**
 * A writer that may not be alone: `lone_writer.ts PATH BYTE` opens a database and inserts points into
 * the stream of that uuid, one after another. Prints the number of each point that was acknowledged, or
 * the status of the error that ended it. Ends with its standard input, closing the database.
 */

import { BTrDBError } from "../../src/core/errors.ts";
import { openEngine } from "../../src/engine/mod.ts";
import { sayLine } from "./say_line.ts";

const [path, byte] = Deno.args as [string, string];
const uuid = new Uint8Array(16).fill(Number(byte));

try {
  const engine = await openEngine({ path });
  let isOver = false;
  void (async () => {
    for await (const _ of Deno.stdin.readable);
    isOver = true;
  })();
  const none = new Map<string, string>();
  const tags = new Map([["name", byte]]);
  await engine.create({ uuid, collection: "lone", tags, annotations: none });
  for (let i = 0; !isOver; i++) {
    const columns = { times: BigInt64Array.of(BigInt(i)), values: Float64Array.of(i) };
    await engine.insert({ uuid, columns });
    sayLine(String(i));
    if (i % 50 === 49) await engine.flush(uuid);
  }
  await engine.close();
  sayLine("closed");
} catch (error) {
  sayLine(error instanceof BTrDBError ? error.status : String(error));
  Deno.exit(3);
}
