/** Connecting where nobody is. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { testRefused } from "../../support/refused.ts";
import { v4Server } from "../../support/grpc/scripted_answers.ts";
import { ScriptedServer, status } from "../../support/grpc/scripted_server.ts";

testRefused("nobody there: UNAVAILABLE after a few tries, with the address", async () => {
  let retries = 0;
  const hooks = { onRetry: () => void retries++ };
  const error = await assertRejects(
    () => connectGrpc({ addresses: ["127.0.0.1:1"], hooks }),
    BTrDBError,
  );
  assertEquals([error.code, error.status], [0, "UNAVAILABLE"]);
  assert(retries < 10, `${retries} retries`);
  assert(error.message.startsWith("Cannot connect to 127.0.0.1:1"), error.message);
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

testRefused(
  "an endpoint that says nothing does not use up the time of those after it",
  async () => {
    const silent = silentPort();
    try {
      await using server = await ScriptedServer.start(v4Server("4.15.9-deno", {}));
      const endpoint = await connectGrpc({
        addresses: [silent.address, server.address],
        deadlineMs: Date.now() + 20_000,
      });
      // Later calls do not go to the silent one either.
      assertEquals((await endpoint.info()).build, "4.15.9-deno");
      await endpoint.close();
    } finally {
      silent.close();
    }
  },
);

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

Deno.test("connectGrpc: a key that no header can carry is refused, and not shown", async () => {
  for (const apiKey of ["", "secret\n", "two words", "schl\u00fcssel"]) {
    const call = () => connectGrpc({ addresses: ["127.0.0.1:1"], apiKey });
    const error = await assertRejects(call, TypeError, "Cannot connect: apiKey ");
    assert(!error.message.includes("secret"), error.message);
  }
});

// The error of the first call was one that nobody catches: it ended the process.
Deno.test("connectGrpc: hooks and tracers that are no functions are refused", async () => {
  const wrong = [
    { hooks: { onStart: 5 } },
    { hooks: { onEnd: "log" } },
    { hooks: { onRetry: null } },
    { tracer: {} },
    { tracer: { startSpan: "span" } },
    { tracer: null },
  ];
  for (const watchers of wrong) {
    const call = () => connectGrpc({ addresses: ["127.0.0.1:1"], ...watchers as object });
    await assertRejects(call, TypeError, "is no function");
  }
});

Deno.test("connectGrpc: hooks may be methods of a class, and any of them missing", async () => {
  class Hooks {
    calls = 0;
    onStart(): void {
      this.calls++;
    }
  }
  await using server = await ScriptedServer.start(v4Server("4.15.9-deno", {}));
  for (const tracer of [undefined, { startSpan: () => undefined as never }]) {
    const hooks = new Hooks();
    const endpoint = await connectGrpc({ addresses: [server.address], hooks, tracer });
    await endpoint.close();
    assert(hooks.calls > 0);
  }
});

testRefused("no endpoint at all is a mistake", async () => {
  await assertRejects(() => connectGrpc({ addresses: [] }), TypeError, "addresses is empty");
});

/** A port that says something to whoever connects, and hangs up. */
function talkingPort(text: string): { address: string; close(): void } {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  (async () => {
    for await (const conn of listener) {
      await conn.write(Uint8Array.from(text, (c) => c.charCodeAt(0))).catch(() => {});
      await conn.read(new Uint8Array(1024)).catch(() => {});
      conn.close();
    }
  })().catch(() => {});
  return { address: `127.0.0.1:${listener.addr.port}`, close: () => listener.close() };
}

/** The error of connecting there. */
async function refusal(address: string, protocol: "auto" | "v4" | "v5" = "auto"): Promise<string> {
  const connecting = connectGrpc({ addresses: [address], protocol, retry: { initialDelayMs: 1 } });
  return (await assertRejects(() => connecting, BTrDBError)).message;
}

for (
  const [name, said, why] of [
    ["HTTP/1", "HTTP/1.1 400 Bad Request\r\n\r\n", "it speaks HTTP/1 on this port, not gRPC"],
    [
      "TLS",
      "\x15\x03\x03\x00\x02\x02\x46",
      "it speaks TLS on this port; use https:// or port 4411",
    ],
    [
      "SSH",
      "SSH-2.0-x\r\n",
      'it does not speak HTTP/2 on this port: its answer begins with "SSH-2',
    ],
  ] as const
) {
  testRefused(`connectGrpc: a port that speaks ${name} is called so`, async () => {
    const port = talkingPort(said);
    try {
      const message = await refusal(port.address);
      assert(message.includes(why), message);
      assert(!message.includes("Resolution note"), message);
    } finally {
      port.close();
    }
  });
}

testRefused("connectGrpc: TLS asked of a plain port", async () => {
  await using server = await ScriptedServer.start(v4Server("4.15.9", {}));
  const message = await refusal(`https://${server.address}`);
  assert(message.includes("it does not speak TLS on this port"), message);
});

testRefused("connectGrpc: one protocol asked of a server that speaks the other", async () => {
  await using v4 = await ScriptedServer.start(v4Server("4.15.9", {}));
  assertEquals(
    await refusal(v4.address, "v5"),
    `Cannot connect to ${v4.address} with protocol v5: it speaks v4`,
  );
  await using v5 = await ScriptedServer.start((call) => {
    if (call.path.startsWith("/v5api.")) return call.send(new Uint8Array(0));
    throw status(12, `unknown service for ${call.path}`);
  });
  assertEquals(
    await refusal(v5.address, "v4"),
    `Cannot connect to ${v5.address} with protocol v4: it speaks v5`,
  );
});

testRefused("connectGrpc: nobody there, without notes that say nothing", async () => {
  assertEquals(
    await refusal("127.0.0.1:1"),
    "Cannot connect to 127.0.0.1:1: Lost 127.0.0.1:1 during Info: connect ECONNREFUSED 127.0.0.1:1",
  );
});
