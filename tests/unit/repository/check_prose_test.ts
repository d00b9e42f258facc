import { assertEquals } from "@std/assert";
import {
  findBrokenSpans,
  findOpenings,
  findPageOpenings,
  findWords,
} from "../../../tools/check_prose.ts";

Deno.test("findOpenings: comments of modules, symbols and members, whole words only", () => {
  const source = [
    "/**",
    " * How frames are cut.",
    " */",
    "/** Frames, however long. */",
    "export interface Frame {",
    "  /** Whether it is whole. */",
    "  whole: boolean;",
    "  /** Whole frames. Where do they end? What is left is not counted. */",
    "  count: number;",
    "}",
    'const PATTERN = "/** What a string says is nobody\'s comment */";',
    "/** Whatever comes. */",
  ].join("\n");
  assertEquals(findOpenings(source), [
    { line: 2, message: 'the comment begins with "How"' },
    { line: 6, message: 'the comment begins with "Whether"' },
    { line: 8, message: 'a sentence begins with "What"' },
  ]);
});

Deno.test("findOpenings: @param and @returns, wherever their text begins", () => {
  const source = [
    "/**",
    " * Reads.",
    " *",
    " * @param at Where to begin.",
    " * @param long",
    " *   What is read.",
    " * @param end End, which is not read.",
    " * @returns Which were found.",
    " */",
  ].join("\n");
  assertEquals(findOpenings(source), [
    { line: 4, message: '@param at begins with "Where"' },
    { line: 6, message: '@param long begins with "What"' },
    { line: 8, message: '@returns begins with "Which"' },
  ]);
});

Deno.test("findPageOpenings: paragraphs, items and sentences, but no headings and questions", () => {
  const page = [
    "# What it does",
    "",
    "What is new? Nothing.",
    "",
    "Who asks",
    "gets an answer. It says",
    "how. Which one is",
    "no matter.",
    "",
    "- Where it is.",
    "",
    "```sh",
    "echo. What is this.",
    "```",
  ].join("\n");
  assertEquals(findPageOpenings(page), [
    { line: 5, message: 'a paragraph begins with "Who"' },
    { line: 7, message: 'a sentence begins with "Which"' },
    { line: 10, message: 'a paragraph begins with "Where"' },
  ]);
});

Deno.test("findWords: whole words in any case, also across lines; names of code do not count", () => {
  const text = [
    "Kept for",
    " * ever, for every reader. Packed with gzip; bit-packed runs.",
    'import { unpack } from "./packed_run.ts";',
    "DELTA_BINARY_PACKED recommends patience.",
  ].join("\n");
  assertEquals(findWords(text), [
    { line: 1, message: '"for ever": say permanently' },
    { line: 2, message: '"packed": say compressed; bit-packed' },
    { line: 4, message: '"patience": say timeout, retry limits' },
  ]);
});

Deno.test("findBrokenSpans: spans over two lines, outside blocks of code", () => {
  const page = [
    "Run `deno test -A",
    "tests/a_test.ts` or `deno task ok`, and see `a`",
    "or `b`.",
    "```",
    "echo `date",
    "uname`",
    "```",
    "A lone ` stays.",
    "",
    "Another paragraph`.",
  ].join("\n");
  assertEquals(findBrokenSpans(page), [
    { line: 1, message: "a code span is broken over two lines" },
  ]);
});
