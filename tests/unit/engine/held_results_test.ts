import { assertEquals, assertThrows } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { HeldResults } from "../../../src/engine/metadata/held_results.ts";

/** Rows of 200,000 characters: two are a batch. */
const rows = (n: number): string[] => Array.from({ length: n }, () => "x".repeat(200_000));

Deno.test("HeldResults.batches: all rows in their order, an empty batch for none", () => {
  const results = new HeldResults();
  assertEquals([...results.batches([])], [[]]);
  const many = Array.from({ length: 2_500 }, (_, i) => String(i));
  const batches = [...results.batches([...many])];
  assertEquals(batches.map(({ length }) => length), [1_000, 1_000, 500]);
  assertEquals(batches.flat(), many);
  assertEquals([...results.batches(rows(5))].map(({ length }) => length), [2, 2, 1]);
  assertEquals(results.characters, 0);
});

// Forty clients asked for 60 MB each and read nothing: the server grew to 4.8 GB.
Deno.test("HeldResults: of results that do not fit, the one whose reader was silent longest is given up", () => {
  const results = new HeldResults(3_500_000);
  const [silent, slow, last] = [10, 10, 10].map((n) => results.batches(rows(n)));
  silent!.next();
  slow!.next();
  slow!.next();
  assertEquals(results.characters, 2_800_000);
  last!.next();
  assertEquals(results.characters, 2_800_000);
  const error = assertThrows(() => silent!.next(), BTrDBError, "characters in all");
  assertEquals(error.code, 426);
  assertEquals([...slow!].flat().length, 6);
  last!.return(undefined);
  assertEquals(results.characters, 0);
});

Deno.test("HeldResults: whoever has read all but the end is not given up", () => {
  const results = new HeldResults(1_000_000);
  const read = results.batches(rows(1));
  read.next();
  results.batches(rows(9)).next();
  assertEquals(read.next().done, true);
});
