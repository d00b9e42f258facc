/** Iterators that are stopped while their next item is waited for, as readable streams stop theirs. */

import { assertEquals } from "@std/assert";
import { align, BTrDB, StreamSet } from "@btrdb/btrdb";
import { openEngine } from "../../../src/engine/mod.ts";
import { LocalService } from "../../support/grpc/local_service.ts";
import { withScript } from "../../support/grpc/scripted_client.ts";
import type { Script } from "../../support/grpc/scripted_server.ts";

const DAY = 86_400_000_000_000n;

/** Makes iterators, all over a server that answers nothing. */
const MADE: Record<string, (set: StreamSet) => AsyncIterator<unknown>> = {
  "raw values": ({ streams: [a] }) => a!.rawValues(0n, 10n).points(),
  "windows": ({ streams: [a] }) => a!.windows(0n, 100n, 10n).points(),
  "windows of a depth": ({ streams: [a] }) => a!.windows(0n, DAY, 1000n, { depth: 5 }).points(),
  "windows computed here": ({ streams: [a] }) =>
    a!.windows(0n, 100n, 10n, { compute: "client" }).points(),
  "aligned windows": ({ streams: [a] }) => a!.alignedWindows(0n, 1024n, 4).points(),
  "very wide windows": ({ streams: [a] }) => a!.alignedWindows(0n, 1n << 61n, 61).points(),
  "windows of one moment": ({ streams: [a] }) => a!.alignedWindows(0n, 1n, 0).points(),
  "changes": ({ streams: [a] }) => a!.changes(10n, 0n, 0),
  "rows": (set) => set.rows(0n, 10n),
  "aligned rows": (set) => align(set, { start: 0n, end: DAY, rate: 1 })[Symbol.asyncIterator](),
  "aligned rows up to the last": (set) =>
    align(set, { start: 0n, rate: 1 })[Symbol.asyncIterator](),
};

/** Runs `body` beside a server that answers `Info` and nothing else; `open()` tells its calls. */
async function withMuteServer(
  body: (db: BTrDB, open: () => number, changed: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const service = new LocalService(await openEngine());
  let open = 0;
  let heard = Promise.withResolvers<void>();
  const tell = (calls: number): void => {
    open += calls;
    heard.resolve();
    heard = Promise.withResolvers();
  };
  const script: Script = async (call) => {
    if (call.rpc === "Info") {
      for (const message of (await service.call(call.path, call.request)).messages) {
        await call.send(message);
      }
      return;
    }
    tell(1);
    await new Promise<void>((resolve) => call.signal.addEventListener("abort", () => resolve()));
    tell(-1);
  };
  try {
    await withScript(script, async (endpoint) => {
      await body(new BTrDB(endpoint), () => open, () => heard.promise);
    });
  } finally {
    await service.close();
  }
}

// Generators were between some of them and the call: `return()` waited for the answer, without an end.
Deno.test("cancellable: every iterator that is stopped while it waits ends its calls at once", async () => {
  await withMuteServer(async (db, open, changed) => {
    const set = new StreamSet([1, 2].map(() => db.streamFromUUID(crypto.randomUUID())));
    for (const [name, make] of Object.entries(MADE)) {
      const iterator = make(set);
      const next = iterator.next();
      while (open() === 0) await changed();
      assertEquals((await iterator.return!()).done, true, name);
      assertEquals(await next, { done: true, value: undefined }, name);
      assertEquals((await iterator.next()).done, true, name);
      while (open() > 0) await changed();
    }
  });
});

Deno.test("cancellable: an abort ends what waits with the reason of the signal, and its calls", async () => {
  await withMuteServer(async (db, open, changed) => {
    const stream = db.streamFromUUID(crypto.randomUUID());
    for (const depth of [0, 5]) {
      const abort = new AbortController();
      const options = { depth, signal: abort.signal };
      const windows = stream.windows(0n, DAY, 1000n, options).collect();
      while (open() === 0) await changed();
      const reason = new Error("enough");
      abort.abort(reason);
      assertEquals(await windows.catch((error) => error === reason), true);
      while (open() > 0) await changed();
    }
  });
});

// What was cut short looked like an answer at its end: its windows would have been returned as empty ones.
Deno.test("cancellable: windows that are stopped do not count what has not come as nothing", async () => {
  await withMuteServer(async (db, open, changed) => {
    const stream = db.streamFromUUID(crypto.randomUUID());
    const windows = stream.windows(0n, 100n, 10n, { compute: "client" })[Symbol.asyncIterator]();
    const batches = [windows.next(), windows.next()];
    while (open() === 0) await changed();
    await windows.return!();
    assertEquals((await Promise.all(batches)).map(({ value }) => value), [undefined, undefined]);
  });
});
