import { assertEquals } from "@std/assert";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GenerateCSVResponseSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import { atOnce } from "../../../src/core/pacer.ts";
import { headerMessage, rowInSteps } from "../../../src/server/btrdb/csv.ts";

const LINES = [
  "1,1970-01-01T00:00:00Z,1.000000",
  "1,1970-01-01T00:00:00Z,,",
  "",
  ",",
  `1,${"9".repeat(127)},${"9".repeat(128)},${"9".repeat(320)}.000000`,
];

for (const line of LINES) {
  Deno.test(`rowInSteps carries the cells of ${JSON.stringify(line.slice(0, 40))}`, () => {
    const bytes = new TextEncoder().encode(`before\n${line}\nafter`);
    const message = atOnce(rowInSteps(bytes, 7, 7 + line.length));
    const { row, isHeader, stat } = fromBinary(GenerateCSVResponseSchema, message);
    assertEquals(row, line.split(","));
    assertEquals([isHeader, stat], [false, undefined]);
  });
}

// A line of 10,000 streams was encoded in one turn of the event loop, with what was done before.
Deno.test("rowInSteps: a long line pauses every 65,536 bytes, and is the same", () => {
  const line = new TextEncoder().encode(Array.from({ length: 40_000 }, (_, i) => `${i}.5`).join());
  const steps = rowInSteps(line, 0, line.length);
  let pauses = 0, step = steps.next();
  for (; step.done !== true; step = steps.next()) pauses++;
  assertEquals(pauses, Math.floor(line.length / 65_536));
  const { row } = fromBinary(GenerateCSVResponseSchema, step.value);
  assertEquals(row.join(), new TextDecoder().decode(line));
});

// The names of 10,000 streams of windows were encoded at once, among what kept everybody for 57 ms.
Deno.test("headerMessage: names that are encoded in steps are those that are encoded at once", async () => {
  const many = Array.from({ length: 5_000 }, (_, i) => `name ${i}`);
  for (const names of [["Timestamp (ns)"], many, ["a", "é".repeat(100_000), "b", "c"]]) {
    const whole = create(GenerateCSVResponseSchema, { isHeader: true, row: names });
    assertEquals(await headerMessage(names), toBinary(GenerateCSVResponseSchema, whole));
  }
});
