/** Numbers of the records of COMTRADE: where they jump, times by the rate are wrong behind them. */

import { assertEquals, assertRejects } from "@std/assert";
import { type ComtradeOptions, openComtrade } from "../../../src/ingest/comtrade/mod.ts";
import { ImportError } from "../../../src/ingest/mod.ts";
import { type MadeRecord, makeComtrade } from "../../support/comtrade.ts";

/** Distances of the times of five samples from the first one, ms; and the notices about numbers. */
async function read(
  numbers: (number | string)[],
  made: MadeRecord = {},
  options: ComtradeOptions = {},
) {
  const samples = [[1, 2, 3, 4, 5]];
  await using record = await openComtrade(makeComtrade({ samples, numbers, ...made }), options);
  const times: bigint[] = [];
  for await (const { columns } of record.batches()) times.push(...columns[0]!.times);
  return {
    ms: times.map((time) => Number(time - times[0]!) / 1e6),
    notices: record.notices.filter((text) => text.includes("number")),
  };
}

const EVEN = [0, 1, 2, 3, 4];

Deno.test("openComtrade: numbers that jump or go back are errors where the rate says the times", async () => {
  for (const type of ["ASCII", "BINARY"]) {
    // Stamps are blank, or jump too: times behind the gap were 97 ms early.
    for (const stamps of [Array(5).fill(undefined), [0, 1000, 2000, 100_000, 101_000]]) {
      const made = { type, stamps };
      const jump = [1, 2, 3, 101, 102];
      const problem = "record 4 has the number 101, the one before has 3";
      await assertRejects(() => read(jump, made), ImportError, problem);
      await assertRejects(
        () => read([1, 2, 3, 2, 3], made),
        ImportError,
        "record 4 has the number 2",
      );
      await assertRejects(
        () => read([1, 2, 3, 3, 4], made),
        ImportError,
        "record 4 has the number 3",
      );
      const { ms, notices } = await read(jump, made, { times: "rate" });
      assertEquals(ms, EVEN);
      assertEquals(notices, ["1 record has a number that does not follow the one before"]);
    }
  }
  const stamps = [0, 1000, 2000, 100_000, 101_000];
  const { ms } = await read([1, 2, 3, 101, 102], { stamps }, { times: "stamps" });
  assertEquals(ms, [0, 1, 2, 100, 101]);
});

Deno.test("openComtrade: numbers of another kind, and jumps that the stamps deny, are no errors", async () => {
  const blank = { stamps: Array(5).fill(undefined) };
  for (
    const numbers of [[0, 1, 2, 3, 4], [7, 11, 15, 19, 23], [0, 0, 0, 0, 0], [
      999_998,
      999_999,
      1,
      2,
      3,
    ]]
  ) {
    assertEquals(await read(numbers, blank), { ms: EVEN, notices: [] });
  }
  assertEquals(await read(["", "", "", "", ""], blank), { ms: EVEN, notices: [] });
  const { ms, notices } = await read([1, 2, 3, 101, 102]);
  assertEquals(ms, EVEN);
  assertEquals(notices.length, 1);
  // Each stretch may have numbers of its own.
  const rates: [string, number][] = [["1000", 3], ["500", 5]];
  assertEquals((await read([1, 2, 3, 51, 52], { ...blank, rates })).ms, [0, 1, 2, 3, 5]);
});

// A damaged number was taken for none, and then for no gap: 97 records could be missing behind it, and
// all later times were 97 ms early without a word.
Deno.test("openComtrade: a number that is none is an error, and blank ones hide no gap", async () => {
  const blank = { stamps: Array(5).fill(undefined) };
  for (const text of ["x", "0x3", "3_0", "1e400"]) {
    await assertRejects(
      () => read([1, 2, text, 4, 5], blank),
      ImportError,
      `line 3 of the samples: cell 1 is "${text}", expected a number`,
    );
  }
  await assertRejects(
    () => read([1, 2, "", 101, 102], blank),
    ImportError,
    "record 4 has the number 101, record 2 has 2",
  );
  assertEquals(await read([1, 2, "", 4, 5], blank), { ms: EVEN, notices: [] });
  assertEquals(await read(["", "", 3, "", 5], blank), { ms: EVEN, notices: [] });
  const { notices } = await read([1, 2, "", 101, 102], {
    stamps: [0, 1000, undefined, 3000, 4000],
  });
  assertEquals(notices, ["1 record has a number that does not follow the one before"]);
  const rates: [string, number][] = [["1000", 3], ["500", 5]];
  assertEquals((await read([1, 2, 3, "", 52], { ...blank, rates })).ms, [0, 1, 2, 3, 5]);
});
