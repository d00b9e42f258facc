/**
 * Errors have codes, and every call can be cancelled.
 *
 *     deno run examples/errors_and_cancelling.ts
 */

import { BTrDBError, connect, ErrorCode, SECOND } from "@btrdb/btrdb";

await using db = await connect("memory:");

// BTrDB's own errors carry BTrDB's numbers.
try {
  await db.streamFromUUID("00112233-4455-6677-8899-aabbccddeeff").version();
} catch (error) {
  if (!(error instanceof BTrDBError) || error.code !== ErrorCode.NoSuchStream) throw error;
  console.log(`code ${error.code}, ${error.status}, retryable: ${error.retryable}`);
}

// Mistakes in arguments are ordinary errors that name the argument and what it may be.
const stream = await db.create(crypto.randomUUID(), "errors");
try {
  await stream.insert([[0n, 1], [1n, NaN]]);
} catch (error) {
  console.log((error as Error).message);
}

// Leaving the loop stops the query, here and on a server.
await stream.insert(Array.from({ length: 20_000 }, (_, i) => [BigInt(i) * SECOND, i]));
let seen = 0;
for await (const batch of stream.rawValues(0n, 20_000n * SECOND)) {
  seen += batch.times.length;
  if (seen >= 5000) break;
}
console.log(`left after ${seen >= 5000 ? "at least 5000" : seen} points`);

// An abort rejects with the reason of the signal, unchanged.
const signal = AbortSignal.abort(new Error("not needed any more"));
try {
  await stream.rawValues(0n, SECOND, { signal }).collect();
} catch (error) {
  console.log("aborted:", (error as Error).message);
}
