import { assert, assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { nextTurn } from "../../../src/core/event_loop.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { stillThere } from "../../support/short_lived.ts";

const CALLS = 50;

// Every call was kept until all garbage was collected, since old objects referred to it: so that came
// ten times a minute with 400 calls a second.
Deno.test("releaseClosedStreams: calls that have ended are gone with the garbage of short-lived things", async () => {
  await using engine = await openEngine();
  const signals: WeakRef<AbortSignal>[] = [];
  const nearest = engine.nearest.bind(engine);
  engine.nearest = (request, options) => {
    signals.push(new WeakRef(options!.signal!));
    return nearest(request, options);
  };
  await using server = await serve(engine, { port: 0 });
  await using client = await connect(`127.0.0.1:${server.port}`);
  const stream = await client.create(crypto.randomUUID(), "a");
  await stream.insert([[1n, 1]]);
  for (let i = 0; i < CALLS; i++) await stream.nearest(1n);
  await nextTurn();
  const alive = stillThere(signals);
  assertEquals(signals.length, CALLS);
  assert(alive <= 5, `${alive} of ${CALLS} calls are still there`);
});
