import { assertEquals } from "@std/assert";
import { HOUR, SECOND, toNanoseconds } from "@btrdb/btrdb";
import {
  clockText,
  stateText,
  summaryOf,
  titleOf,
  zoneText,
} from "../../../src/web/plotter/view_texts.ts";

const NOON = toNanoseconds("2026-07-01T12:00:00Z");

Deno.test("clockText: a moment to the nanosecond, without zeros at its end", () => {
  assertEquals(clockText(NOON, "UTC"), "2026-07-01 12:00:00");
  assertEquals(clockText(NOON + 120n, "Asia/Kolkata"), "2026-07-01 17:30:00.00000012");
});

Deno.test("clockText: where a clock shows an hour twice, the difference to UTC says which it is", () => {
  const first = toNanoseconds("2026-10-25T00:30:00Z");
  assertEquals(clockText(first, "Europe/Berlin"), "2026-10-25 02:30:00 +02:00");
  assertEquals(clockText(first + HOUR, "Europe/Berlin"), "2026-10-25 02:30:00 +01:00");
  assertEquals(clockText(first, "UTC"), "2026-10-25 00:30:00");
});

Deno.test("zoneText: the city of a zone and its difference to UTC at that moment", () => {
  assertEquals(zoneText(NOON, "UTC"), "UTC");
  assertEquals(zoneText(NOON, "America/New_York"), "New York −04:00");
  assertEquals(zoneText(NOON, "Asia/Kolkata"), "Kolkata +05:30");
});

Deno.test("stateText: length, windows, and what is out of the ordinary", () => {
  const span = { start: NOON, end: NOON + 90n * SECOND };
  const quiet = { isPinned: false, isReading: false };
  assertEquals(stateText({ span, pointwidth: undefined, ...quiet }), "1.5 min");
  assertEquals(
    stateText({ span, pointwidth: 26, isPinned: true, isReading: true }),
    "1.5 min  ·  windows of 67.11 ms  ·  pinned versions  ·  reading…",
  );
});

Deno.test("titleOf, summaryOf: names of the streams, three at most in a title", () => {
  assertEquals(titleOf([]), "BTrDB plotter");
  assertEquals(titleOf(["a", "b", "c", "d"]), "a · b · c · BTrDB plotter");
  const span = { start: NOON, end: NOON + SECOND };
  assertEquals(
    summaryOf(["a", "b"], span, "UTC").split(". ")[0],
    "a, b",
  );
  assertEquals(summaryOf([], span, "UTC").startsWith("No stream. 2026-07-01 12:00:00"), true);
});

// A stream whose name had a mark of text direction showed the rest of the title of its tab backwards.
Deno.test("titleOf: no name turns the text behind it, or hides", () => {
  assertEquals(titleOf(["a\u202egnp", "\u2069\u202eb\n\u200b"]), "a�gnp · ��b�� · BTrDB plotter");
  assertEquals(titleOf(["Größe ąé 温度"]), "Größe ąé 温度 · BTrDB plotter");
});
