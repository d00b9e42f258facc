import { assertEquals } from "@std/assert";
import { escapeLine, escapeText } from "../../../src/cli/terminal/escape.ts";
import { sgr, withEscapes, withoutColors } from "../../../src/plot/sgr.ts";

Deno.test("escapeText: controls, C1 and characters that turn text around are shown, not obeyed", () => {
  const cases: [string, string][] = [
    ["L1MAG volts äöü 日本 🙂", "L1MAG volts äöü 日本 🙂"],
    ["\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"],
    ["a\x9b31mb", "a\\x9b31mb"],
    ["a\u202eb\u2066c\u200bd\ufeff", "a\\u{202e}b\\u{2066}c\\u{200b}d\\u{feff}"],
    ["a\rb\x00\x7f\x08", "a\\rb\\x00\\x7f\\x08"],
    ["a\u2028b\u{e0041}", "a\\u{2028}b\\u{e0041}"],
    ["one\n\ttwo\n", "one\n\ttwo\n"],
  ];
  for (const [text, shown] of cases) assertEquals(escapeText(text), shown);
  assertEquals(escapeLine("one\n\ttwo\r\n"), "one\\n\\ttwo\\r\\n");
});

Deno.test("sgr: our colours pass, those in a text from elsewhere do not", () => {
  const text = `${sgr(31, "red", 39)} \x1b[32mgreen`;
  assertEquals(withEscapes(escapeText(text)), "\x1b[31mred\x1b[39m \\x1b[32mgreen");
  assertEquals(withoutColors(text), "red \x1b[32mgreen");
});
