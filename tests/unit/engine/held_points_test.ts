import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { whileHeld } from "../../../src/engine/write/held_points.ts";
import { columnsAt, createStream, regular } from "../../support/engine.ts";

/** Inserts points whose memory is transferred before their turn has come. */
function insertTransferred(engine: Engine, uuid: Uint8Array, n: number, which: "all" | "values") {
  const columns = regular(n, 10n ** 15n);
  const inserted = engine.insert({ uuid, columns });
  const { times, values } = columns;
  const given = which === "all" ? [times, values] : [values];
  for (const { buffer } of given) structuredClone(buffer, { transfer: [buffer] });
  return inserted;
}

// A caller gave its columns to a thread without waiting for the insert. They were empty when its turn
// came, and it was acknowledged: no point was stored, and no error said so.
Deno.test("Engine.insert: points whose memory is transferred meanwhile are refused, and others stored", async () => {
  for (const n of [100, 100_000]) {
    for (const which of ["all", "values"] as const) {
      await using engine = await openEngine();
      const uuid = await createStream(engine);
      const columns = regular(1000);
      const inserts = [
        engine.insert({ uuid, columns }),
        insertTransferred(engine, uuid, n, which),
      ] as const;
      const left = which === "all" ? 0 : n;
      const message = `${left} times and 0 values are left of ${n} points`;
      await assertRejects(() => inserts[1], TypeError, message);
      await inserts[0];
      assertEquals(await columnsAt(engine, uuid), columns);
    }
  }
});

Deno.test("whileHeld: memory that is transferred between two steps fails the insert, whatever they do", () => {
  for (const fails of [false, true]) {
    const columns = regular(10);
    const insert = whileHeld(
      columns,
      10,
      function* (): Generator<undefined, string> {
        yield;
        if (fails) throw new RangeError("no times");
        return "done";
      }(),
    );
    insert.next();
    structuredClone(columns.times.buffer, { transfer: [columns.times.buffer] });
    assertThrows(() => insert.next(), TypeError, "0 times and 10 values are left of 10 points");
  }
});
