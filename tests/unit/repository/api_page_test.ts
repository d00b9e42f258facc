import { assertEquals, assertStringIncludes } from "@std/assert";
import { entrySection, firstSentence } from "../../../tools/support/api_page.ts";

Deno.test("firstSentence: one line, links as code, abbreviations and decimals do not end it", () => {
  assertEquals(firstSentence("Reads\npoints. More follows."), "Reads points");
  assertEquals(firstSentence("See {@linkcode Stream.count}.\n\nMore."), "See `Stream.count`");
  assertEquals(firstSentence('A name, e.g. "a/b". `undefined` if none.'), 'A name, e.g. "a/b"');
  assertEquals(firstSentence("At most 1.5 GB"), "At most 1.5 GB");
  assertEquals(firstSentence("Takes either of:\n- a path\n- a stream"), "Takes either of");
});

Deno.test("entrySection: symbols by kind and name, public members of classes, overloads once", () => {
  const method = (name: string, more = {}) => ({
    name,
    kind: "method",
    functionDef: { params: [{ kind: "identifier", name: "at" }] },
    ...more,
  });
  const section = entrySection("pkg/x", {
    module_doc: { doc: "Things. And more." },
    symbols: [
      { name: "Shape", declarations: [{ kind: "interface", def: {} }] },
      {
        name: "Box",
        declarations: [{
          kind: "class",
          jsDoc: { doc: "A box." },
          def: {
            methods: [
              method("open", { jsDoc: { doc: "Opens it." } }),
              method("open"),
              method("hidden", { accessibility: "private" }),
              method("[Symbol.iterator]"),
              method("of", { isStatic: true }),
              method("size", { kind: "getter" }),
            ],
          },
        }],
      },
      {
        name: "pack",
        declarations: [{
          kind: "function",
          def: {
            params: [
              { kind: "identifier", name: "box", optional: true },
              { kind: "assign", left: { kind: "identifier", name: "depth" } },
              { kind: "rest", arg: { kind: "identifier", name: "items" } },
            ],
          },
        }],
      },
    ],
  });
  assertEquals(
    section.trim().split("\n").filter((line) => line !== ""),
    [
      "## pkg/x",
      "Things.",
      "**Functions**",
      "- `pack(box?, depth?, ...items)`",
      "**Classes**",
      "- `Box`: A box",
      "  - `open(at)`: Opens it",
      "  - `static of(at)`",
      "  - `size`",
      "**Types**",
      "- `Shape`",
    ],
  );
});

Deno.test("docs/api.md: lists every entry point but the command", async () => {
  const root = new URL("../../../", import.meta.url);
  const { name, exports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const page = await Deno.readTextFile(new URL("docs/api.md", root));
  for (const entry of Object.keys(exports)) {
    if (entry !== "./cli") assertStringIncludes(page, `\n## ${name}${entry.slice(1)}\n`);
  }
});
