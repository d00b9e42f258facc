import { assertEquals } from "@std/assert";
import { anchorOf, citationsOf, headingsOf, linksOf } from "../../../tools/check_links.ts";

Deno.test("links: anchors are what Markdown viewers make of a heading", () => {
  assertEquals(anchorOf("Insert, delete & flush"), "insert-delete--flush");
  assertEquals(anchorOf("`BTrDB.close`"), "btrdbclose");
  assertEquals(anchorOf("Größe von 2^n"), "größe-von-2n");
});

Deno.test("links: headings in code blocks do not count", () => {
  assertEquals(headingsOf("# One\n```sh\n# not a heading\n```\n## Two  \n"), ["One", "Two"]);
});

Deno.test("links: relative targets with their lines, code and web links left out", () => {
  const text = "[a](a.md)\n```\n[no](no.md)\n```\n[b](b.md#x) [web](https://example.org)\n";
  assertEquals(linksOf(text), [{ target: "a.md", line: 1 }, { target: "b.md#x", line: 5 }]);
});

Deno.test("links: citations are found across wrapped comment lines", () => {
  const source = [
    "/**",
    ' * As the server does (docs/protocol.md, "The',
    ' * tree"); see docs/errors.md.',
    " */",
    '// docs/protocol.md, "CSV"',
  ].join("\n");
  assertEquals(citationsOf(source), [
    { page: "docs/protocol.md", line: 2, heading: "The tree" },
    { page: "docs/errors.md", line: 3 },
    { page: "docs/protocol.md", line: 5, heading: "CSV" },
  ]);
});
