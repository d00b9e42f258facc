/** Views as commands and programs. */

import { assert, assertEquals } from "@std/assert";
import { commandOf, programOf, shellWord } from "../../../src/web/plotter/snippets.ts";

const VIEW = {
  origin: "http://127.0.0.1:8080",
  span: { start: 0n, end: 3_600_000_000_000n },
  zone: "Europe/Berlin",
  windows: 1000,
  streams: [{ uuid: "a5fba242-74c8-4e59-ad89-c1565ee3229c", path: "pmu/L1MAG", version: 12n }],
};

Deno.test("commandOf: the command that plots the view", () => {
  assertEquals(
    commandOf(VIEW),
    "btrdb -d grpc-web://127.0.0.1:8080 plot a5fba242-74c8-4e59-ad89-c1565ee3229c " +
      "-s 1970-01-01T00:00:00.000000000Z -e 1970-01-01T01:00:00.000000000Z --tz Europe/Berlin",
  );
});

Deno.test("shellWord: whatever is in a word, the shell sees one", () => {
  assertEquals(shellWord("pmu/L1"), "pmu/L1");
  assertEquals(shellWord("a b"), "'a b'");
  assertEquals(shellWord("it's $(rm)"), `'it'\\''s $(rm)'`);
});

Deno.test("programOf: names cannot leave their comment", () => {
  const path = "evil\n*/ await fetch('//x'); //\u2028alert(1)\r";
  const program = programOf({ ...VIEW, streams: [{ ...VIEW.streams[0]!, path }] });
  const line = program.split(/[\n\r\u2028\u2029]/).find((text) => text.includes("evil"))!;
  assert(line.includes("// evil"));
  assert(line.includes("alert(1)"));
  assert(program.includes("stream.windows(start, end, 3600000000n, { version })"));
});
