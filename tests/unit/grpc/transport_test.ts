/** One call on the wire: protocol, key, deadline, cancelling, backpressure, hooks. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { type CallEvent, connectGrpc, type GrpcOptions } from "../../../src/grpc/mod.ts";
import { runDeno } from "../../support/run.ts";
import { failure, info, raw, v4Server } from "../../support/grpc/scripted_answers.ts";
import { type Script, ScriptedServer, status } from "../../support/grpc/scripted_server.ts";
import { ServerProcess } from "../../support/server_process.ts";
import { settled } from "../../support/until.ts";

const uuid = new Uint8Array(16).fill(5);
const RANGE = { uuid, start: 0n, end: 1n << 50n, version: 11n };

async function withServer(
  script: Script,
  options: Partial<GrpcOptions>,
  body: (endpoint: Endpoint, server: ScriptedServer) => Promise<void>,
): Promise<void> {
  await using server = await ScriptedServer.start(script);
  const endpoint = await connectGrpc({ addresses: [server.address], retry: false, ...options });
  try {
    await body(endpoint, server);
  } finally {
    await endpoint.close();
  }
}

/** 5,000 points that gzip cannot make smaller, from `k`·5,000 on. */
function batch(k: number): Uint8Array {
  return raw(Array.from({ length: 5000 }, (_, i) => [BigInt(k * 5000 + i), Math.random()]));
}

/**
 * Sends without end; resolves `stopped` with the number of messages when the client has gone.
 *
 * @param onSend Called for each message.
 */
function endless(stopped: PromiseWithResolvers<number>, onSend: () => void = () => {}): Script {
  return v4Server("4.15.9-deno", {
    async RawValues(call) {
      let sent = 0;
      for (; !call.signal.aborted; sent++, onSend()) await call.send(batch(sent));
      stopped.resolve(sent);
    },
  });
}

Deno.test("connectGrpc: auto asks v5 first and then v4", async () => {
  await withServer(v4Server("4.15.9-deno", {}), {}, (endpoint) => {
    assertEquals(endpoint.capabilities.protocol, "v4");
    assertEquals(endpoint.capabilities.maxInsertPoints, 25_000);
    return Promise.resolve();
  });
  const v5: Script = (call) => call.send(info("5.30.0-deno", [], [5, 30]));
  await withServer(v5, {}, async (endpoint, server) => {
    assertEquals(endpoint.capabilities.protocol, "v5");
    assertEquals((await endpoint.info()).minorVersion, 30);
    assertEquals(server.count("Info"), 2);
  });
});

Deno.test("connectGrpc: v5 only is not granted by a v4 server", async () => {
  await using server = await ScriptedServer.start(v4Server("4.15.9-deno", {}));
  const error = await assertRejects(
    () => connectGrpc({ addresses: [server.address], protocol: "v5" }),
    BTrDBError,
  );
  assertEquals(error.status, "UNIMPLEMENTED");
});

Deno.test("connectGrpc: the key travels as authorization: bearer", async () => {
  const seen: (string | undefined)[] = [];
  const script: Script = (call) => {
    seen.push(call.header("authorization"));
    if (call.header("authorization") !== "bearer s3cret") throw status(16, "invalid api key");
    return call.send(info("5.30.0-deno", [], [5, 30]));
  };
  await withServer(script, { apiKey: "s3cret" }, () => Promise.resolve());
  assertEquals(seen, ["bearer s3cret"]);
  await using server = await ScriptedServer.start(script);
  const error = await assertRejects(() => connectGrpc({ addresses: [server.address] }), BTrDBError);
  assertEquals(error.status, "UNAUTHENTICATED");
});

Deno.test("Rpc: break stops the server within a message", async () => {
  const stopped = Promise.withResolvers<number>();
  await withServer(endless(stopped), {}, async (endpoint) => {
    for await (const chunk of endpoint.rawValues(RANGE)) {
      assertEquals(chunk.columns.times.length, 5000);
      break;
    }
    await stopped.promise;
  });
});

Deno.test("Rpc: an abort stops the server and rejects with its reason, unchanged", async () => {
  const stopped = Promise.withResolvers<number>();
  await withServer(endless(stopped), {}, async (endpoint) => {
    const controller = new AbortController();
    const reason = { any: "thing" };
    const read = async () => {
      for await (const _ of endpoint.rawValues(RANGE, { signal: controller.signal })) {
        controller.abort(reason);
      }
    };
    assert(await read().catch((error) => error) === reason);
    await stopped.promise;
  });
});

Deno.test("Rpc: an abort rejects a call that waits, and one that is made afterwards", async () => {
  const reason = new Error("enough");
  const controller = new AbortController();
  const script = v4Server("4.15.9-deno", {
    Nearest: (call) => {
      controller.abort(reason);
      return new Promise((resolve) => call.signal.addEventListener("abort", () => resolve()));
    },
  });
  await withServer(script, {}, async (endpoint) => {
    const { signal } = controller;
    const call = () =>
      endpoint.nearest({ uuid, time: 0n, version: 11n, backward: false }, { signal });
    assertEquals(await assertRejects(call), reason);
    assertEquals(await assertRejects(call), reason);
  });
});

Deno.test("Rpc: return() ends a next() that waits, and the call", async () => {
  const begun = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  const script = v4Server("4.15.9-deno", {
    RawValues: (call) => {
      begun.resolve();
      call.signal.addEventListener("abort", () => gone.resolve());
      return gone.promise;
    },
  });
  await withServer(script, {}, async (endpoint) => {
    const iterator = endpoint.rawValues(RANGE);
    const waiting = iterator.next();
    await begun.promise;
    await iterator.return!();
    assertEquals(await waiting, { done: true, value: undefined });
    await gone.promise;
    assertEquals(await iterator.next(), { done: true, value: undefined });
  });
});

Deno.test("Rpc: a passed deadline stops the server and says so", async () => {
  const stopped = Promise.withResolvers<number>();
  await withServer(endless(stopped), {}, async (endpoint, server) => {
    // Longer and longer, until the call has reached the server in time.
    for (let ms = 50; server.count("RawValues") === 0; ms *= 2) {
      const error = await assertRejects(async () => {
        for await (const _ of endpoint.rawValues(RANGE, { deadlineMs: Date.now() + ms }));
      }, BTrDBError);
      const { code, status, rpc } = error;
      assertEquals([code, status, rpc], [0, "DEADLINE_EXCEEDED", "RawValues"], error.message);
    }
    await stopped.promise;
  });
});

Deno.test("Rpc: who does not read stops the wire", async () => {
  const stopped = Promise.withResolvers<number>();
  const size = batch(0).length;
  let bytes = 0;
  const script = endless(stopped, () => bytes += size);
  await withServer(script, { flowControlWindow: 1 << 20 }, async (endpoint) => {
    const iterator = endpoint.rawValues(RANGE);
    await iterator.next();
    await settled(() => {
      assert(bytes < 16 << 20, `${bytes} bytes were sent to somebody who did not read`);
      return bytes;
    });
    await iterator.return!();
    await stopped.promise;
  });
});

Deno.test("Rpc: ten thousand calls leave nothing behind, and the process ends by itself", async () => {
  await using server = await ServerProcess.start("bench/support/replay_server.ts", ["5000"]);
  const program = new URL("../../support/leak_program.ts", import.meta.url).pathname;
  const args = ["run", "-A", "--quiet", "--no-check", "--v8-flags=--expose-gc", program];
  const { code, stdout } = await runDeno([...args, server.address]);
  assertEquals(code, 0);
  const grown = Number(stdout);
  assert(grown < 1 << 20, `the heap grew by ${grown} bytes`);
});

Deno.test("CallRecorder: hooks and tracer see every call", async () => {
  const started: CallEvent[] = [], ended: CallEvent[] = [], spans: string[] = [];
  const span = {
    setAttribute() {},
    setStatus() {},
    recordException: (error: Error) => void spans.push(error.message),
    end: () => void spans.push("end"),
  };
  const options = {
    hooks: {
      onStart: (e: CallEvent) => void started.push(e),
      onEnd: (e: CallEvent) => void ended.push(e),
    },
    tracer: {
      startSpan(name: string) {
        spans.push(name);
        return span;
      },
    },
    protocol: "v4" as const,
  };
  const script = v4Server("4.15.9-deno", {
    RawValues: (call) => call.send(raw([[1n, 1], [2n, 2]])),
    Nearest: (call) => call.send(failure(401, "no such point")),
  });
  await withServer(script, options, async (endpoint) => {
    for await (const _ of endpoint.rawValues(RANGE));
    await assertRejects(() => endpoint.nearest({ uuid, time: 0n, version: 11n, backward: false }));
  });
  assertEquals(started.map((event) => event.rpc), ["Info", "RawValues", "Nearest"]);
  const read = ended[1]!;
  assertEquals([read.points, read.messages, read.attempt, read.error], [2, 1, 1, undefined]);
  assert(read.responseBytes > 0 && read.requestBytes > 0 && read.durationMs >= 0);
  assertEquals(read.uuid, "05050505-0505-0505-0505-050505050505");
  assertEquals(spans, [
    ...["btrdb.Info", "end", "btrdb.RawValues", "end"],
    ...["btrdb.Nearest", "end"],
  ]);
});

// A bench whose hook threw in its first call waited for an answer that had long come.
Deno.test("CallRecorder: a call goes on whose hooks and tracer throw, and their errors are seen", async () => {
  const seen: string[] = [];
  let reads = 0;
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    seen.push(event.error.message);
  };
  const broken = (name: string) => () => {
    throw new Error(name);
  };
  const script = v4Server("4.15.9-deno", {
    Nearest: (call) => call.send(failure(401, "no such point")),
    RawValues(call) {
      if (++reads === 1) throw status(14, "not now");
      return call.send(raw([[1n, 1], [2n, 2]]));
    },
  });
  const hooks = { onStart: broken("start"), onEnd: broken("end"), onRetry: broken("retry") };
  const tracer = { startSpan: broken("span") as never };
  const options = { hooks, tracer, protocol: "v4" as const, retry: {} };
  globalThis.addEventListener("error", onError);
  try {
    await withServer(script, options, async (endpoint) => {
      let points = 0;
      for await (const { columns } of endpoint.rawValues(RANGE)) points += columns.times.length;
      assertEquals(points, 2);
      const nearest = endpoint.nearest({ uuid, time: 0n, version: 11n, backward: false });
      await assertRejects(() => nearest, BTrDBError, "no such point");
    });
  } finally {
    globalThis.removeEventListener("error", onError);
  }
  assertEquals([...new Set(seen)].toSorted(), ["end", "retry", "span", "start"]);
});

Deno.test("Endpoint.close: close is idempotent, waits for calls and refuses new ones", async () => {
  const begun = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const script = v4Server("4.15.9-deno", {
    async Nearest(call) {
      begun.resolve();
      await answer.promise;
      await call.send(failure(401, "no such point"));
    },
  });
  await withServer(script, {}, async (endpoint) => {
    const request = { uuid, time: 0n, version: 11n, backward: false };
    const call = assertRejects(() => endpoint.nearest(request), BTrDBError, "no such point");
    await begun.promise;
    const closing = endpoint.close();
    assertEquals(endpoint.close(), closing);
    answer.resolve();
    await call;
    await closing;
    await assertRejects(() => endpoint.nearest(request), BTrDBError, "closed");
  });
});

Deno.test("Endpoint.close: close gives up a stream that nobody reads any more", async () => {
  const stopped = Promise.withResolvers<number>();
  await withServer(endless(stopped), {}, async (endpoint) => {
    const iterator = endpoint.rawValues(RANGE);
    await iterator.next();
    await endpoint.close();
    await stopped.promise;
  });
});

Deno.test("Endpoint.close: close ends a subscription, which has no end of its own", async () => {
  const begun = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const script: Script = async (call) => {
    if (call.rpc === "Info") return await call.send(info("5.30.0-deno", [], [5, 30]));
    begun.resolve();
    await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    left.resolve();
  };
  await withServer(script, {}, async (endpoint) => {
    const updates = endpoint.subscribe([uuid]);
    const next = assertRejects(() => updates.next(), BTrDBError, "the connection is closed");
    await begun.promise;
    await endpoint.close();
    assertEquals((await next).status, "CANCELLED");
    await left.promise;
  });
});

Deno.test("Rpc: a deadline further away than any timer is none", async () => {
  const script = v4Server("4.15.9-deno", {
    Nearest: (call) => call.send(failure(401, "no such point")),
  });
  await withServer(script, {}, async (endpoint) => {
    const request = { uuid, time: 0n, version: 11n, backward: false };
    for (const ms of [2 ** 31, 1e12, 1e15, Number.MAX_SAFE_INTEGER]) {
      const deadlineMs = Date.now() + ms;
      await assertRejects(() => endpoint.nearest(request, { deadlineMs }), BTrDBError, "no such");
    }
  });
});

Deno.test("Rpc: a query that nobody reads leaves no listener, and its abort is still seen", async () => {
  await withServer(v4Server("4.15.9-deno", {}), {}, async (endpoint, server) => {
    const controller = new AbortController();
    const { signal } = controller;
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++;
      add(...args);
    };
    const queries = Array.from({ length: 20 }, () => endpoint.rawValues(RANGE, { signal }));
    assertEquals(listeners, 0);
    const reason = new Error("enough");
    controller.abort(reason);
    for (const query of queries) {
      assertEquals(await assertRejects(() => query.next()), reason);
      assertEquals((await query.next()).done, true);
    }
    assertEquals(server.count("RawValues"), 0);
  });
});
