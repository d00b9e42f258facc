import { assertEquals } from "@std/assert";
import type { CallEvent, RetryEvent } from "@btrdb/btrdb";
import { RecoveryNotice } from "../../../src/cli/recovery_notice.ts";

function retry(elapsedMs: number, recovery: RetryEvent["recovery"]): RetryEvent {
  return { rpc: "Insert", attempt: 1, delayMs: 0, error: new Error("405"), elapsedMs, recovery };
}

function end(rpc: string, error?: unknown): CallEvent {
  const numbers = { requestBytes: 0, responseBytes: 0, messages: 1, points: 0, durationMs: 1 };
  return { rpc, server: "a:1", attempt: 1, ...numbers, ...(error === undefined ? {} : { error }) };
}

/** Texts shown until no more are due. */
async function saidAfter(use: (notice: RecoveryNotice) => void): Promise<string[]> {
  const said: string[] = [];
  const notice = new RecoveryNotice((text) => said.push(text));
  use(notice);
  await new Promise((resolve) => setTimeout(resolve, 0));
  notice.stop();
  return said;
}

Deno.test("RecoveryNotice: after three seconds the state of the cluster is said, once", async () => {
  const said = await saidAfter((notice) => {
    notice.onRetry(retry(3_000, { healthy: false, unmapped: 50 }));
    notice.onRetry(retry(3_500, { healthy: false, unmapped: 50 }));
  });
  assertEquals(said, ["The cluster is recovering (50 % of streams without an owner), waiting"]);
});

Deno.test("RecoveryNotice: a single server without a mash", async () => {
  const said = await saidAfter((notice) => {
    notice.onRetry(retry(9_000, { healthy: false, unmapped: 0 }));
  });
  assertEquals(said, ["The server is recovering, waiting"]);
});

Deno.test("RecoveryNotice: short waits and ordinary retries say nothing", async () => {
  const said = await saidAfter((notice) => {
    notice.onRetry(retry(5_000, undefined));
    notice.onRetry(retry(100, { healthy: false, unmapped: 50 }));
    notice.onEnd(end("Insert"));
  });
  assertEquals(said, []);
});

Deno.test("RecoveryNotice: when the call succeeds, it is said how long that took", async () => {
  const said: string[] = [];
  const notice = new RecoveryNotice((text) => said.push(text));
  notice.onRetry(retry(12_000, { healthy: false, unmapped: 50 }));
  await new Promise((resolve) => setTimeout(resolve, 0));
  notice.onEnd(end("Info"));
  notice.onEnd(end("Insert", new Error("405")));
  notice.onEnd(end("Insert"));
  assertEquals(said[1], "The cluster serves again after 12 s");
  assertEquals(said.length, 2);
});
