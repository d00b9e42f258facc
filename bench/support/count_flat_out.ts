/**
 * Clients that read a stream from beginning to end, again and again, as fast as it comes, each over a
 * connection of its own, and only count:
 *
 *     deno run -A bench/support/count_flat_out.ts ADDRESS POINTS CLIENTS [WIDTH]
 *
 * With a width, ns, they read windows. Prints 0 (it has no port) some seconds after every client has a
 * whole answer: until then each thread of the server compiles what it runs. Ends with its standard
 * input, and then prints how many points or windows have come since.
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { connect } from "../../mod.ts";
import { RawValuesParamsSchema, WindowsParamsSchema } from "../../src/gen/btrdb_v5_pb.ts";
import { uuidBytes } from "../../src/core/uuid.ts";
import { CountingReader } from "./counting_reader.ts";
import { START, STEP } from "./data.ts";
import { UUID } from "./served.ts";

/** Time in which the code of the server is compiled, ms. */
const WARM_UP_MS = 4_000;

const [address, points, clients, width] = Deno.args;
const range = { uuid: uuidBytes(UUID), start: START, end: START + BigInt(points!) * STEP };
const isRaw = width === undefined;
const path = `/v5api.BTrDB/${isRaw ? "RawValues" : "Windows"}`;
const request = isRaw
  ? toBinary(RawValuesParamsSchema, create(RawValuesParamsSchema, range))
  : toBinary(WindowsParamsSchema, create(WindowsParamsSchema, { ...range, width: BigInt(width) }));

/** Points or windows of an answer, as decoded by a client that does not only count. */
async function pointsOfAnswer(): Promise<number> {
  await using db = await connect(address!);
  const stream = db.streamFromUUID(UUID);
  const { start, end } = range;
  const query = isRaw ? stream.rawValues(start, end) : stream.windows(start, end, BigInt(width));
  let count = 0;
  for await (const { times } of query) count += times.length;
  return count;
}

const pointsEach = await pointsOfAnswer();
const readers = await Promise.all(
  Array.from({ length: Number(clients) }, () => CountingReader.connect(address!, path, request)),
);
const [bytesEach] = await Promise.all(readers.map((reader) => reader.read()));

async function readOn(reader: CountingReader): Promise<never> {
  for (;;) await reader.read(bytesEach);
}

for (const reader of readers) {
  readOn(reader).catch((error) => {
    // deno-lint-ignore no-console -- a bench without its load must not pass for one
    console.error(error);
    Deno.exit(1);
  });
}
const bytesSoFar = () => readers.reduce((sum, { bytes }) => sum + bytes, 0);
await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
const before = bytesSoFar();
// deno-lint-ignore no-console -- whoever started this waits for it
console.log(0);
for await (const _ of Deno.stdin.readable);
// deno-lint-ignore no-console -- whoever started this reads it
console.log((bytesSoFar() - before) * pointsEach / bytesEach!);
Deno.exit(0);
