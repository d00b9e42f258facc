import { assert, assertEquals } from "@std/assert";
import { safeLabel } from "../../../src/core/safe_label.ts";
import { cpuMs } from "../../support/cpu_ms.ts";

Deno.test("safeLabel: what a spreadsheet takes for a formula begins with an apostrophe", () => {
  const cases: [string, string][] = [
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "'\t'=1"],
    ["\rx", "'\rx"],
    ["\nx", "'\nx"],
    ["\uff1d1", "'\uff1d1"],
    ["  =1", "'  =1"],
    ["\u00a0=1", "'\u00a0=1"],
    ["\ufeff=1", "'\ufeff=1"],
    ["\x01=1", "'\x01=1"],
    ["\u200b=1", "'\u200b=1"],
    // A spreadsheet of another country takes semicolons between cells.
    ["a;=1", "a;'=1"],
    ["a; =1;-2|@x\t+y", "a;' =1;'-2|'@x\t'+y"],
    ["a\n=1", "a\n'=1"],
    // CSV has `"a;""=1"`, whose second cell is then `""=1"`: nothing in quotes, and a formula behind.
    ['a;"=1', "a;'\"=1"],
    ['a; ""\u200b"=1;b', 'a;\' ""\u200b"=1;b'],
    // Characters without a glyph that are letters to Unicode.
    ["\u3164=1", "'\u3164=1"],
    ["\u115f\ufe0f=1", "'\u115f\ufe0f=1"],
    // These are text as they are.
    ["", ""],
    ["a=b", "a=b"],
    ["pmu/L1-MAG + 3", "pmu/L1-MAG + 3"],
    ["'=1", "'=1"],
    ["a;b", "a;b"],
    ['"a" = 1', '"a" = 1'],
    ["°C", "°C"],
  ];
  for (const [label, safe] of cases) assertEquals(safeLabel(label), safe, JSON.stringify(label));
});

// Each tab or line end had all blanks behind it looked at: a server with names of a megabyte of them
// stopped an export, and the page of the plotter, for minutes.
Deno.test("safeLabel: blanks are looked at once, and a mark behind any of them is behind an apostrophe", () => {
  for (
    const blanks of [
      "\t".repeat(60_000),
      "\n ".repeat(60_000),
      " ".repeat(60_000),
      '"'.repeat(60_000),
    ]
  ) {
    assert(cpuMs(() => assert(/'[ "]*=1$/.test(safeLabel(`${blanks}=1`)))) < 2_000);
  }
  assertEquals(safeLabel(" \t =1"), " \t' =1");
});
