import { assertEquals } from "@std/assert";
import { escapeLine, escapeText } from "../../../src/cli/terminal/escape.ts";
import { escapeJson } from "../../../src/core/unsafe_text.ts";
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

// Names that differ in nothing that is drawn looked like one stream in `btrdb ls`; a hundred accents on a
// letter hid the lines above it, and half a surrogate pair moved all columns behind it.
Deno.test("escapeText: what is drawn as nothing, or over other lines, is shown", () => {
  const accents = "\u0301".repeat(4);
  const cases: [string, string][] = [
    ["L1\u3164\uffa0\u115f\u034f\ufe0f", "L1\\u{3164}\\u{ffa0}\\u{115f}\\u{34f}\\u{fe0f}"],
    ["L1\u{e0100}\u{e0fff}", "L1\\u{e0100}\\u{e0fff}"],
    ["a\ud800b\udc00", "a\\u{d800}b\\u{dc00}"],
    [`e${accents}x${accents}`, `e${accents}x${accents}`],
    [`e${accents}\u0302\u20e3x`, `e${accents}\\u{302}\\u{20e3}x`],
    ["กำ ที่ ཧཱུྃ שָׁ 각", "กำ ที่ ཧཱུྃ שָׁ 각"],
  ];
  for (const [text, shown] of cases) assertEquals(escapeText(text), shown);
  const json = JSON.stringify({ name: `L1\u3164 e${accents}\u0302` });
  assertEquals(escapeJson(json), json.replace("\u3164", "\\u3164").replace("\u0302", "\\u0302"));
});

Deno.test("sgr: our colours pass, those in a text from elsewhere do not", () => {
  const text = `${sgr(31, "red", 39)} \x1b[32mgreen`;
  assertEquals(withEscapes(escapeText(text)), "\x1b[31mred\x1b[39m \\x1b[32mgreen");
  assertEquals(withoutColors(text), "red \x1b[32mgreen");
});
