/** Connecting where nobody is. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { testRefused } from "../../support/refused.ts";
import { v4Server } from "../../support/scripted_answers.ts";
import { ScriptedServer } from "../../support/scripted_server.ts";

testRefused("nobody there: UNAVAILABLE, soon, with the address", async () => {
  const started = Date.now();
  const error = await assertRejects(() => connectGrpc({ endpoints: ["127.0.0.1:1"] }), BTrDBError);
  assertEquals([error.code, error.status], [0, "UNAVAILABLE"]);
  assert(error.message.startsWith("Cannot connect to 127.0.0.1:1"), error.message);
  assert(Date.now() - started < 5000);
});

testRefused("the first endpoint that answers is used", async () => {
  await using server = await ScriptedServer.start(v4Server("4.15.9-deno", {}));
  const endpoint = await connectGrpc({ endpoints: ["127.0.0.1:1", server.address] });
  assertEquals((await endpoint.info()).build, "4.15.9-deno");
  await endpoint.close();
});

testRefused("no endpoint at all is a mistake", async () => {
  await assertRejects(() => connectGrpc({ endpoints: [] }), TypeError, "endpoints is empty");
});
