/**
 * Makes ten thousand calls, and breaks off a thousand reads, on the server at ADDRESS; prints by how
 * many bytes the heap has grown, and ends when nothing keeps it alive any more.
 *
 *     deno run -A --v8-flags=--expose-gc tests/support/leak_program.ts ADDRESS
 *
 * @module
 */

import { connectGrpc } from "../../src/grpc/mod.ts";

const { gc } = globalThis as unknown as { gc(): void };
const endpoint = await connectGrpc({ addresses: [Deno.args[0]!] });
const uuid = new Uint8Array(16).fill(5);
const { signal } = new AbortController();

async function round(calls: number, reads: number): Promise<number> {
  const request = { uuid, time: 0n, version: 11n, backward: false };
  for (let i = 0; i < calls; i += 50) {
    await Promise.all(Array.from({ length: 50 }, () => endpoint.nearest(request, { signal })));
  }
  const range = { uuid, start: 0n, end: 1n << 61n, version: 11n };
  for (let i = 0; i < reads; i++) {
    for await (const _ of endpoint.rawValues(range, { signal })) break;
  }
  await new Promise((resolve) => setTimeout(resolve, 100));
  gc();
  return Deno.memoryUsage().heapUsed;
}

const before = await round(1000, 100);
const after = await round(10_000, 1000);
await endpoint.close();
// deno-lint-ignore no-console -- whoever starts this reads the figure
console.log(after - before);
