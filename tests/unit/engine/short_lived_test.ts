import { assert } from "@std/assert";
import { nextTurn } from "../../../src/core/event_loop.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { stillThere } from "../../support/short_lived.ts";

const INSERTS = 50;

// Each insert made generator functions, for which V8 makes old objects: they kept its points until all
// garbage was collected.
Deno.test("Engine.insert: points are gone with the garbage of short-lived things", async () => {
  await using engine = await openEngine();
  const uuid = crypto.getRandomValues(new Uint8Array(16));
  await engine.create({
    uuid,
    collection: "a",
    tags: new Map([["name", "b"]]),
    annotations: new Map(),
  });
  const points: WeakRef<object>[] = [];
  for (let i = 0; i < INSERTS; i++) {
    const columns = { times: BigInt64Array.of(BigInt(i)), values: Float64Array.of(i) };
    points.push(new WeakRef(columns));
    await engine.insert({ uuid, columns });
  }
  await nextTurn();
  await nextTurn();
  const alive = stillThere(points);
  assert(alive <= 5, `${alive} of ${INSERTS} are still there`);
});
