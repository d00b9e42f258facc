import { assertEquals } from "@std/assert";
import { answer, HostileServer } from "../support/grpc/hostile_server.ts";
import { info } from "../support/grpc/scripted_answers.ts";
import { start } from "./support.ts";

// A server that took a question and never answered kept the command, and every script around it, for
// good: an interrupt or a SIGTERM changed nothing, unless it came twice.
Deno.test("commands: an interrupt ends the wait for a server that does not answer", async () => {
  const { promise: isAsked, resolve } = Promise.withResolvers<void>();
  await using server = await HostileServer.start((rpc, stream) => {
    if (rpc === "Info") answer(stream, info("4.15.9"));
    else resolve();
  });
  const child = start(["-d", server.address, "show", "c/x"]);
  await isAsked;
  child.kill("SIGINT");
  const { code, stderr } = await child.output();
  assertEquals([code, new TextDecoder().decode(stderr)], [130, "error: Interrupted\n"]);
});
