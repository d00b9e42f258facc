import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { concatRaw, type RawColumns } from "../../../src/core/columns.ts";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { Transaction } from "../../../src/engine/write/transaction.ts";
import { whileHeld } from "../../../src/engine/write/held_points.ts";
import { columnsAt, createStream, regular } from "../../support/engine.ts";

/** Gives away the memory of columns, or that of their values. */
function transfer({ times, values }: RawColumns, which: "all" | "values"): void {
  const given = which === "all" ? [times, values] : [values];
  for (const { buffer } of given) structuredClone(buffer, { transfer: [buffer] });
}

/** Inserts points whose memory is transferred before their turn has come. */
function insertTransferred(engine: Engine, uuid: Uint8Array, n: number, which: "all" | "values") {
  const columns = regular(n, 10n ** 15n);
  const inserted = engine.insert({ uuid, columns });
  transfer(columns, which);
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
      new Transaction(),
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

// A caller gave the values away after its insert was written, while another one of the same transaction
// was under way. Subscribers could not be told any more: every later write to the database failed.
Deno.test("Engine.insert: values that are transferred before the commit fail that insert alone, and subscribers have the others", async () => {
  for (const which of ["values", "all"] as const) {
    for (const mergePolicy of ["never", "retain"] as const) {
      await using engine = await openEngine();
      const uuid = await createStream(engine);
      const updates = engine.subscribe([uuid]);
      const first = updates.next();
      const given = regular(100, 10n ** 15n);
      const kept = regular(10);
      let areAllSubmitted = false;
      const giving = {
        get times() {
          if (areAllSubmitted && given.values.length > 0) transfer(given, which);
          return kept.times;
        },
        values: kept.values,
      };
      const inserts = [
        engine.insert({ uuid, columns: given, mergePolicy }),
        engine.insert({ uuid, columns: giving, mergePolicy }),
      ] as const;
      areAllSubmitted = true;
      await assertRejects(() => inserts[0], TypeError, "0 values are left of 100 points");
      await inserts[1];
      assertEquals((await first).value, { uuid, columns: kept });
      const more = regular(10, 10n ** 16n);
      const second = updates.next();
      await engine.insert({ uuid, columns: more });
      assertEquals((await second).value, { uuid, columns: more });
      await updates.return?.();
      assertEquals(await columnsAt(engine, uuid), concatRaw([kept, more]));
    }
  }
});
