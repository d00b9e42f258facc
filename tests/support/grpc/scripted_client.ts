/** Our client against a scripted server. */

import { concatRaw, type RawColumns } from "../../../src/core/columns.ts";
import type { Endpoint, RangeRequest } from "../../../src/endpoint/endpoint.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { type Script, ScriptedServer } from "./scripted_server.ts";

/** No patience, so that retries take no time. */
const FAST = { retry: { initialDelayMs: 1, maxDelayMs: 2, attempts: 5 }, settleMs: 5 };

/** Runs `body` with a client of a server that follows a script. */
export async function withScript(
  script: Script,
  body: (endpoint: Endpoint, server: ScriptedServer) => Promise<void>,
): Promise<void> {
  await using server = await ScriptedServer.start(script);
  const endpoint = await connectGrpc({ addresses: [server.address], ...FAST });
  try {
    await body(endpoint, server);
  } finally {
    await endpoint.close();
  }
}

/** All points of a range. */
export async function readAll(
  endpoint: Endpoint,
  request: RangeRequest,
): Promise<[bigint, number][]> {
  const batches: RawColumns[] = [];
  for await (const chunk of endpoint.rawValues(request)) batches.push(chunk.columns);
  const { times, values } = concatRaw(batches);
  return Array.from(times, (time, i) => [time, values[i]!]);
}
