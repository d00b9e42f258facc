/** Times of exports in any form: imported again, they are the same points. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { fromLocal, offsetAt } from "../../src/core/clock_changes.ts";
import { type TextForm, TextRows } from "../../src/csv/text_rows.ts";
import { formatCsv } from "../../src/kernel/mod.ts";
import { importedText, instant } from "../support/imported.ts";
import { holdsAsync } from "../support/property.ts";

const ZONES = ["UTC", "+05:30", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"];

/** Times at which clocks of these zones change, s, and one at which none do. */
const ANCHORS = [
  "2024-10-27T01:00Z",
  "2024-03-31T01:00Z",
  "2024-11-03T06:00Z",
  "2024-03-10T07:00Z",
  "2024-04-06T15:00Z",
  "2024-10-05T15:30Z",
  "2001-02-03T04:05Z",
].map((text) => Temporal.Instant.from(text).epochNanoseconds);

const tables = fc.record({
  anchor: fc.constantFrom(...ANCHORS),
  from: fc.integer({ min: -14_400, max: 0 }),
  steps: fc.array(fc.integer({ min: 1, max: 3_600 }), { minLength: 3, maxLength: 20 }),
  digits: fc.integer({ min: 0, max: 9 }),
  fractions: fc.array(fc.nat({ max: 999_999_999 }), { minLength: 20, maxLength: 20 }),
  tz: fc.constantFrom(...ZONES),
  form: fc.constantFrom("ns" as const, "rfc3339" as const, "naive" as const, "readable" as const),
});

/** A CSV as an export writes it. */
function exported(times: BigInt64Array, form: Pick<TextForm, "time" | "tz" | "keepsNs">): string {
  const text = new TextRows({ ...form, format: "csv", kind: "raw", labels: ["a"] });
  const columns = { times, values: Float64Array.from(times, (_, i) => i) };
  const csv = formatCsv([{ label: "a", columns }], { timeDigits: 9 });
  const head = csv.indexOf(10) + 1;
  const decoder = new TextDecoder();
  return decoder.decode(text.head(csv.subarray(0, head))) +
    [...text.rows(csv.subarray(head))].map((part) => decoder.decode(part)).join("");
}

Deno.test("export: times in any form, zone and precision come back as the same points", async () => {
  await holdsAsync(
    fc.asyncProperty(tables, async ({ anchor, from, steps, digits, fractions, tz, form }) => {
      let second = anchor + BigInt(from) * 1_000_000_000n;
      const unit = 10 ** (9 - digits);
      const all = steps.map((step, i) => {
        second += BigInt(step) * 1_000_000_000n;
        return second + BigInt(Math.floor(fractions[i]! / unit) * unit);
      });
      // A clock shows the second of two equal hours like the first one.
      const kept = all.filter((time) =>
        form !== "naive" || fromLocal(tz, time + offsetAt(tz, time)) === time
      );
      if (kept.length < 3) return;
      const isReadable = form === "readable";
      const text = exported(BigInt64Array.from(kept), {
        time: isReadable ? "rfc3339" : form,
        tz,
        keepsNs: isReadable,
      });
      const { points } = await importedText(text, { tz: form === "naive" ? tz : undefined });
      assertEquals(points["f/a"], kept.map((time, i) => [instant(time), i]), text);
      if (!isReadable) return;
      const readable = text.split("\n").slice(1, -1).map((line) => line.split(",")[1]!);
      const right = kept.map((time) =>
        Temporal.Instant.fromEpochNanoseconds(time).toZonedDateTimeISO(tz)
          .toString({ timeZoneName: "never" })
      );
      assertEquals(readable.map((time) => time.replace(/Z$/, "+00:00")), right);
    }),
    150,
  );
});

Deno.test("export: both of two equal hours are told apart by offsets, and without them by order", async () => {
  const first = Temporal.Instant.from("2025-10-26T00:00Z").epochNanoseconds;
  const times = BigInt64Array.from({ length: 8 }, (_, i) => first + BigInt(i) * 900_000_000_001n);
  const right = [...times].map((time, i) => [instant(time), i]);
  const tz = "Europe/Berlin";
  for (const time of ["rfc3339", "naive"] as const) {
    const { points } = await importedText(exported(times, { time, tz }), { tz });
    assertEquals(points["f/a"], right as [string, number][], time);
  }
});

Deno.test("export: naive times of irregular steps stay in the first of two equal hours", async () => {
  // The step before was 30 min: half way between the row and the same clock time an hour later.
  const cases: [string, string[]][] = [
    ["America/New_York", ["2024-11-03T05:29:56Z", "2024-11-03T05:59:58Z", "2024-11-03T05:59:59Z"]],
    ["Europe/Berlin", ["2024-10-27T00:29:57Z", "2024-10-27T00:59:58.1Z", "2024-10-27T00:59:59Z"]],
    ["Australia/Lord_Howe", [
      "2024-04-06T14:44:56Z",
      "2024-04-06T14:59:58Z",
      "2024-04-06T14:59:59Z",
    ]],
    // A step a second longer than an hour, then one of two seconds.
    ["Europe/Berlin", ["2024-10-26T22:30:00Z", "2024-10-26T23:59:59Z", "2024-10-27T00:00:01Z"]],
  ];
  for (const [tz, instants] of cases) {
    const times = BigInt64Array.from(
      instants,
      (text) => Temporal.Instant.from(text).epochNanoseconds,
    );
    const { points, warnings } = await importedText(exported(times, { time: "naive", tz }), { tz });
    assertEquals(points["f/a"], instants.map((text, i) => [text, i]), tz);
    assertEquals(warnings.some((text) => text.includes("comes twice")), true, tz);
  }
});
