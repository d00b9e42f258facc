/**
 * Inserts of many streams that share messages, through a server and a network that misbehave: each is
 * stored once, or fails with an error that says that this is not certain.
 */

import { assert, assertEquals } from "@std/assert";
import { BTrDBError } from "../../src/core/errors.ts";
import { connectGrpc } from "../../src/grpc/mod.ts";
import { columnsOf } from "../support/engine.ts";
import { FaultProxy } from "../support/grpc/fault_proxy.ts";
import { ServerProcess } from "../support/server_process.ts";

const STREAMS = 100;
const ROUNDS = 40;

async function counts(address: string): Promise<Map<string, number>> {
  const calm = await connectGrpc({ addresses: [address] });
  const found = new Map<string, number>();
  try {
    for (let i = 0; i < STREAMS; i++) {
      const request = { uuid: uuidAt(i), start: 0n, end: 1n << 40n, version: 0n };
      for await (const { columns } of calm.rawValues(request)) {
        for (const time of columns.times) {
          const key = `${i} ${time}`;
          found.set(key, (found.get(key) ?? 0) + 1);
        }
      }
    }
  } finally {
    await calm.close();
  }
  return found;
}

function uuidAt(index: number): Uint8Array {
  const uuid = new Uint8Array(16).fill(9);
  uuid[15] = index;
  return uuid;
}

Deno.test("GrpcEndpoint.insert: messages of many streams, lost, repeated or broken off, store each insert once", async () => {
  const seed = Number(Deno.env.get("FAULT_SEED") ?? 15);
  const program = "tests/support/grpc/chaos_server.ts";
  await using server = await ServerProcess.start(program, [String(seed), "0.08"]);
  await using proxy = new FaultProxy(server.ports[0]!, {
    ...{ seed, reset: 0.5, silence: 0, withinBytes: 200_000, delay: 0.02, delayMs: 20 },
  });
  const calm = `127.0.0.1:${server.ports[1]}`;
  const creator = await connectGrpc({ addresses: [calm] });
  for (let i = 0; i < STREAMS; i++) {
    const tags = new Map([["name", `s${i}`]]);
    await creator.create({ uuid: uuidAt(i), collection: "c", tags, annotations: new Map() });
  }
  await creator.close();
  let together = 0;
  const client = await connectGrpc({
    addresses: [proxy.address],
    retry: { initialDelayMs: 4, maxDelayMs: 100, attempts: 24, budget: 100_000 },
    ...{ settleMs: 30, probeAfterMs: 1_000, probeTimeoutMs: 2_000 },
    hooks: { onEnd: ({ rpc, uuid }) => rpc === "Insert" && uuid === undefined && together++ },
  });
  const unclear = new Set<string>();
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(Array.from({ length: STREAMS }, async (_, i) => {
      try {
        await client.insert({ uuid: uuidAt(i), columns: columnsOf([[round, i], [round, -i]]) });
      } catch (error) {
        assert(error instanceof BTrDBError && error.message.startsWith("Cannot tell"), `${error}`);
        unclear.add(`${i} ${round}`);
      }
    }));
  }
  await client.close();
  const found = await counts(calm);
  for (let i = 0; i < STREAMS; i++) {
    for (let round = 0; round < ROUNDS; round++) {
      const key = `${i} ${round}`, n = found.get(key) ?? 0;
      if (unclear.has(key)) assert(n === 0 || n === 2, `${key}: ${n}`);
      else assertEquals(n, 2, `stream and time ${key}, seed ${seed}`);
    }
  }
  assert(together > ROUNDS, `${together} messages with several inserts`);
  assert(unclear.size <= 40, `${unclear.size} unclear`);
});
