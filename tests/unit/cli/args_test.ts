import { assertEquals, assertThrows } from "@std/assert";
import { parseArgs, splitOnce } from "../../../src/cli/words/parse_args.ts";
import { CliError } from "../../../src/cli/errors.ts";
import { editDistance, nearest } from "../../../src/core/suggest.ts";
import type { OptionSpecs } from "../../../src/cli/words/option.ts";

const SPECS: OptionSpecs = {
  start: { short: "s", value: "TIME", about: "" },
  tag: { short: "t", value: "KEY=VALUE", multiple: true, about: "" },
  format: { value: "FORMAT", choices: ["csv", "json"], about: "" },
  long: { short: "l", about: "" },
  yes: { short: "y", about: "" },
  limit: { value: "N", about: "" },
};

Deno.test("parseArgs: options in every form and place", () => {
  const { args } = parseArgs(
    ["a", "--start", "-2h", "-ly", "-t", "k=v", "--tag=x=y", "b", "--", "--long", "-z"],
    SPECS,
  );
  assertEquals(args.positionals, ["a", "b", "--long", "-z"]);
  assertEquals(args.text("start"), "-2h");
  assertEquals(args.list("tag"), ["k=v", "x=y"]);
  assertEquals([args.has("long"), args.has("yes"), args.has("format")], [true, true, false]);
  assertEquals(parseArgs(["-s2h"], SPECS).args.text("start"), "2h");
  assertEquals(parseArgs(["-s=2h"], SPECS).args.text("start"), "2h");
  assertEquals(parseArgs(["-"], SPECS).args.positionals, ["-"]);
  assertEquals(parseArgs(["-s", "1", "-s", "2"], SPECS).args.text("start"), "2");
});

Deno.test("parseArgs: stop before the command", () => {
  const { args, rest } = parseArgs(["-l", "ls", "-y"], SPECS, true);
  assertEquals(args.has("long"), true);
  assertEquals(rest, ["ls", "-y"]);
});

Deno.test("parseArgs: mistakes say what would be right", () => {
  const cases: [string[], string, string?][] = [
    [["--strat", "1"], "Unknown option --strat", "--start"],
    [["-x"], "Unknown option -x"],
    [["--start"], "needs a value"],
    [["--start", "--long"], "needs a value"],
    [["--long=1"], "takes no value"],
    [["--format", "xml"], "expected csv or json"],
  ];
  for (const [argv, message, hint] of cases) {
    const error = assertThrows(() => parseArgs(argv, SPECS), CliError, message);
    assertEquals(error.exit, 2);
    if (hint !== undefined) assertEquals(error.hint?.includes(hint), true, error.hint);
  }
});

Deno.test("parseArgs: integers", () => {
  const { args } = parseArgs(["--limit", "1_000"], SPECS);
  assertEquals(args.integer("limit", 0, 5000), 1000);
  assertThrows(() => args.integer("limit", 0, 10), CliError, "from 0 to 10");
  const bad = parseArgs(["--limit", "1e3"], SPECS).args;
  assertThrows(() => bad.integer("limit", 0, 5000), CliError, "--limit 1e3");
  assertEquals(splitOnce("a=b=c", "="), ["a", "b=c"]);
  assertEquals(splitOnce("a", "="), ["a", undefined]);
});

Deno.test("nearest: edits, swaps, parts", () => {
  assertEquals(editDistance("", "abc"), 3);
  assertEquals(editDistance("kitten", "sitting"), 3);
  assertEquals(editDistance("ab", "ba"), 1);
  assertEquals(nearest("qurey", ["query", "show", "serve"]), ["query"]);
  assertEquals(nearest("mag", ["L1MAG", "L2MAG", "FREQ"]), ["L1MAG", "L2MAG"]);
  assertEquals(nearest("xyz", ["abcdefg"]), []);
  assertEquals(nearest("a", ["a", "b", "c", "d"], 2).length, 2);
});
