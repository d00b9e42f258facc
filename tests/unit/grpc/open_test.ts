/** Connecting where nobody is. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { testRefused } from "../../support/refused.ts";
import { v4Server } from "../../support/grpc/scripted_answers.ts";
import { ScriptedServer } from "../../support/grpc/scripted_server.ts";

testRefused("nobody there: UNAVAILABLE, soon, with the address", async () => {
  const started = Date.now();
  const error = await assertRejects(() => connectGrpc({ addresses: ["127.0.0.1:1"] }), BTrDBError);
  assertEquals([error.code, error.status], [0, "UNAVAILABLE"]);
  assert(error.message.startsWith("Cannot connect to 127.0.0.1:1"), error.message);
  assert(Date.now() - started < 5000);
});

testRefused("the first endpoint that answers is used", async () => {
  await using server = await ScriptedServer.start(v4Server("4.15.9-deno", {}));
  const endpoint = await connectGrpc({ addresses: ["127.0.0.1:1", server.address] });
  assertEquals((await endpoint.info()).build, "4.15.9-deno");
  await endpoint.close();
});

/** A port that takes connections and says nothing. */
function silentPort(): { address: string; close(): void } {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const taken: Deno.Conn[] = [];
  (async () => {
    for await (const conn of listener) taken.push(conn);
  })().catch(() => {});
  return {
    address: `127.0.0.1:${listener.addr.port}`,
    close() {
      listener.close();
      for (const conn of taken) conn.close();
    },
  };
}

Deno.test("an endpoint that says nothing does not use up the time of those after it", async () => {
  const silent = silentPort();
  try {
    await using server = await ScriptedServer.start(v4Server("4.15.9-deno", {}));
    const endpoint = await connectGrpc({
      addresses: [silent.address, server.address],
      deadlineMs: Date.now() + 4_000,
    });
    // Later calls do not go to the silent one either.
    assertEquals((await endpoint.info({ deadlineMs: Date.now() + 4_000 })).build, "4.15.9-deno");
    await endpoint.close();
  } finally {
    silent.close();
  }
});

testRefused("an abort ends connecting to who says nothing, with its reason", async () => {
  const silent = silentPort();
  try {
    const controller = new AbortController();
    const reason = new Error("enough");
    const addresses = [silent.address, silent.address];
    const connecting = connectGrpc({ addresses, signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    assertEquals(await assertRejects(() => connecting), reason);
  } finally {
    silent.close();
  }
});

Deno.test("a key that no header can carry is refused, and not shown", async () => {
  for (const apiKey of ["", "secret\n", "two words", "schl\u00fcssel"]) {
    const call = () => connectGrpc({ addresses: ["127.0.0.1:1"], apiKey });
    const error = await assertRejects(call, TypeError, "Cannot connect: the API key ");
    assert(!error.message.includes("secret"), error.message);
  }
});

testRefused("no endpoint at all is a mistake", async () => {
  await assertRejects(() => connectGrpc({ addresses: [] }), TypeError, "addresses is empty");
});
