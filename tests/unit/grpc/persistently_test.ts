import { assertEquals, assertRejects } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { InfoResponseSchema } from "../../../src/gen/btrdb_v4_pb.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { persistently } from "../../../src/grpc/write/persistently.ts";
import { bytes } from "../../support/grpc/scripted_answers.ts";
import { ScriptedServer } from "../../support/grpc/scripted_server.ts";
import { HANG_MS } from "../../support/until.ts";

const RULES = { settleMs: 1, maxElapsedMs: 3_600_000 };

/** A read of a stream that nobody owns, which counts how often it is made. */
function degraded(): { read: () => Promise<never>; reads: () => number } {
  let reads = 0;
  return {
    read: () => {
      reads++;
      return Promise.reject(new BTrDBError("degraded", { code: 419 }));
    },
    reads: () => reads,
  };
}

Deno.test("persistently: a read is not repeated beyond the deadline of those who wait", async () => {
  const { read, reads } = degraded();
  const error = await assertRejects(
    () => persistently(RULES, { deadlineMs: Date.now() }, read),
    BTrDBError,
  );
  assertEquals([error.code, reads()], [419, 1]);
});

Deno.test("persistently: an abort ends the wait with its reason", async () => {
  const { read, reads } = degraded();
  const controller = new AbortController();
  const reason = new Error("enough");
  const waiting = persistently({ ...RULES, settleMs: 1_000_000 }, controller, read);
  controller.abort(reason);
  const error = await assertRejects(() => waiting);
  assertEquals([error, reads()], [reason, 1]);
});

// While no node owned a stream, an insert with a deadline of a second came back after two minutes: the
// version before it was asked for as long as retries may take.
Deno.test("insert: a stream without an owner is waited for until the deadline, not until maxElapsedMs", async () => {
  const answer = () => {
    const owner = { up: true, in: true, start: 5n, end: 1n, grpcEndpoints: server.address };
    const mash = { members: [owner, owner], healthy: true };
    return bytes(InfoResponseSchema, { build: "4.15.9-deno", majorVersion: 4, mash });
  };
  await using server = await ScriptedServer.start((call) => call.send(answer()));
  const endpoint = await connectGrpc({ addresses: [server.address], protocol: "v4", settleMs: 1 });
  const columns = { times: BigInt64Array.of(1n), values: Float64Array.of(1) };
  const uuid = new Uint8Array(16).fill(4);
  const insert = endpoint.insert({ uuid, columns }, { deadlineMs: Date.now() + 200 });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<string>((resolve) =>
    timer = setTimeout(resolve, HANG_MS, "too late")
  );
  try {
    const end = await Promise.race([insert.catch((error) => error), tooLate]);
    assertEquals(end instanceof BTrDBError, true, String(end));
  } finally {
    clearTimeout(timer);
    await endpoint.close();
  }
});
