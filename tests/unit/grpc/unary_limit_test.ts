/** Many calls at once: most wait on our side, and whoever waits can give up. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { UnaryLimit } from "../../../src/grpc/transport/unary_limit.ts";
import { v4Server } from "../../support/grpc/scripted_answers.ts";
import { ScriptedServer } from "../../support/grpc/scripted_server.ts";

const SPEC = { rpc: "Nearest", options: {} };

Deno.test("turns are given in the order they are asked for", async () => {
  const turns = new UnaryLimit(2);
  assertEquals([turns.take(SPEC), turns.take(SPEC)], [undefined, undefined]);
  const order: string[] = [];
  const first = turns.take(SPEC)!.then(() => order.push("first"));
  const second = turns.take(SPEC)!.then(() => order.push("second"));
  turns.release();
  await first;
  assertEquals(order, ["first"]);
  turns.release();
  await second;
  turns.release();
  turns.release();
  await turns.idle();
});

Deno.test("whoever gives up waiting takes no turn", async () => {
  const turns = new UnaryLimit(1);
  turns.take(SPEC);
  const reason = new Error("enough");
  const controller = new AbortController();
  const aborted = turns.take({ ...SPEC, options: { signal: controller.signal } })!;
  const late = turns.take({ ...SPEC, options: { deadlineMs: Date.now() + 5 } })!;
  const patient = turns.take(SPEC)!;
  controller.abort(reason);
  assertEquals(await assertRejects(() => aborted), reason);
  const error = await assertRejects(() => late, BTrDBError);
  assertEquals(error.status, "DEADLINE_EXCEEDED");
  turns.release();
  await patient;
  turns.release();
  await turns.idle();
});

Deno.test("a thousand calls at once are never more than 128 on the wire; closing waits for them", async () => {
  let [now, most] = [0, 0];
  await using server = await ScriptedServer.start(v4Server("4.15.9-deno", {
    async Flush(call) {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now--;
      await call.send(new Uint8Array([0x10, 11]));
    },
  }));
  const endpoint = await connectGrpc({ addresses: [server.address] });
  const calls = Array.from({ length: 1000 }, () => endpoint.flush(new Uint8Array(16)));
  await endpoint.close();
  const versions = await Promise.all(calls);
  assertEquals(versions.filter(({ major }) => major === 11n).length, 1000);
  assert(most <= 128 && most > 1, `${most} at once`);
});
