/** Views as fragments of addresses. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { MAX_TIME, MIN_TIME } from "../../../src/core/range.ts";
import type { ValueRange } from "../../../src/plot/figure/value_scale.ts";
import { decodeView, encodeView } from "../../../src/web/plotter/view_fragment.ts";
import {
  AUTO,
  EMPTY_VIEW,
  type SeriesState,
  type ViewState,
} from "../../../src/web/plotter/view_state.ts";
import { holds } from "../../support/property.ts";

const A = "a5fba242-74c8-4e59-ad89-c1565ee3229c";
const B = "b5fba242-74c8-4e59-ad89-c1565ee3229c";

const VIEW: ViewState = {
  plots: [
    {
      series: [{ uuid: A, side: "left", ink: 0, version: 0n, since: 0n }],
      left: { kind: "zero" },
      right: { kind: "fixed", low: -1.5e-7, high: 5e21 },
    },
    {
      series: [{ uuid: B, side: "right", ink: 12, version: 42n, since: 17n }],
      left: AUTO,
      right: AUTO,
    },
  ],
  range: { start: 1_767_225_600_000_000_001n, end: 1_767_225_600_000_000_999n },
  zone: "America/Argentina/Buenos_Aires",
  band: false,
  density: false,
  overlays: [86_400_000_000_000n],
};

Deno.test("encodeView: everything of a view comes back, to the nanosecond", () => {
  assertEquals(decodeView(encodeView(VIEW)), { view: VIEW, problems: [] });
  assertEquals(decodeView(encodeView(EMPTY_VIEW)), { view: EMPTY_VIEW, problems: [] });
});

/** Any view that a person can make. */
const views: fc.Arbitrary<ViewState> = fc.record({
  uuids: fc.uniqueArray(fc.uuid(), { maxLength: 8 }),
  cuts: fc.array(fc.nat(3), { minLength: 8, maxLength: 8 }),
  inks: fc.array(fc.nat(40), { minLength: 8, maxLength: 8 }),
  versions: fc.array(fc.bigInt(0n, 10n ** 17n), { minLength: 16, maxLength: 16 }),
  axes: fc.array(
    fc.oneof(
      fc.constant(AUTO),
      fc.constant({ kind: "zero" } as const),
      fc.tuple(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
      )
        .filter(([a, b]) => a < b).map(([low, high]) => ({ kind: "fixed", low, high }) as const),
    ),
    { minLength: 16, maxLength: 16 },
  ),
  range: fc.oneof(
    fc.bigInt(10n, MAX_TIME - MIN_TIME).map((last) => ({ last })),
    fc.tuple(fc.bigInt(MIN_TIME, MAX_TIME), fc.bigInt(MIN_TIME, MAX_TIME))
      .filter(([a, b]) => a !== b)
      .map(([a, b]) => a < b ? { start: a, end: b } : { start: b, end: a }),
  ),
  zone: fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kathmandu", "Etc/GMT+5"),
  band: fc.boolean(),
  density: fc.boolean(),
  overlays: fc.array(fc.bigInt(10n, 10n ** 18n), { maxLength: 4 }),
}).map(({ uuids, cuts, inks, versions, axes, ...rest }) => {
  const plots: { series: SeriesState[]; left: ValueRange; right: ValueRange }[] = [];
  uuids.forEach((uuid, i) => {
    const side = inks[i]! % 2 === 0 ? "left" as const : "right" as const;
    const [version, since] = [versions[2 * i]!, versions[2 * i + 1]!];
    const series = { uuid, side, ink: inks[i]!, version, since };
    if (i > 0 && cuts[i]! > 0) plots.at(-1)!.series.push(series);
    else plots.push({ series: [series], left: axes[2 * i]!, right: axes[2 * i + 1]! });
  });
  return { ...rest, plots };
});

Deno.test("encodeView: any view comes back whole, without a word about problems", () => {
  holds(fc.property(views, (view) => {
    const fragment = encodeView(view);
    assert(/^[\w.~:;,@=&/+%-]+$/.test(fragment), fragment);
    assertEquals(decodeView(fragment), { view, problems: [] });
  }));
});

Deno.test("decodeView: whatever is in a link, there is a view and short problems", () => {
  const fragment = fc.oneof(
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.tuple(views, fc.nat(), fc.string({ maxLength: 3 })).map(([view, at, put]) => {
      const text = encodeView(view);
      return text.slice(0, at % text.length) + put + text.slice(at % text.length + 1);
    }),
  );
  holds(fc.property(fragment, (text) => {
    const { view, problems } = decodeView(text);
    // What was taken is a view that can be written again, and comes back.
    assertEquals(decodeView(encodeView(view)), { view, problems: [] });
    for (const problem of problems) assert(problem.length < 300, problem);
  }));
});

Deno.test("encodeView: a link is made of characters that no program changes", () => {
  assert(/^[\w.~:;,@=&/+-]+$/.test(encodeView(VIEW)), encodeView(VIEW));
});

Deno.test("decodeView: an address without a view is an empty one", () => {
  assertEquals(decodeView(""), { view: EMPTY_VIEW, problems: [] });
});

Deno.test("decodeView: parts that are wrong are named, and the others are taken", () => {
  const { view, problems } = decodeView(`plots=${A}&zone=Nowhere/Town&last=60000000000`);
  assertEquals(view.plots[0]!.series[0]!.uuid, A);
  assertEquals(view.range, { last: 60_000_000_000n });
  assertEquals(view.zone, "UTC");
  assertEquals(problems, ['The link has zone "Nowhere/Town", which cannot be read']);
});

Deno.test("decodeView: hostile links give an empty view and a problem", () => {
  const links = [
    "plots=<script>alert(1)</script>",
    `plots=${A},${A}`,
    `plots=${A}~left=5:1`,
    `plots=${A}~left=NaN:1`,
    `plots=${A}~top=zero`,
    `plots=${A}.c99999`,
    `plots=${A}@99999999999999999999999`,
    `plots=${Array.from({ length: 17 }, (_, i) => A.replace("a5", `${i + 10}`)).join(";")}`,
    "from=2026-13-01T00:00:00Z&to=2026-01-01T00:00:00Z",
    "last=-5",
    "last=1",
    "zone=%E0%A4%A",
    "hide=everything",
    "earlier=1,2,3,4,5,6",
    "unknown=1",
    "zone=UTC&zone=UTC",
    "__proto__=1",
    "x".repeat(30_000),
  ];
  for (const link of links) {
    const { view, problems } = decodeView(link);
    assertEquals({ ...view, plots: [] }, { ...EMPTY_VIEW, plots: [] }, link.slice(0, 80));
    assertEquals(problems.length, 1, link.slice(0, 80));
    assert(problems[0]!.length < 200);
  }
});

Deno.test("decodeView: the end must be after the start", () => {
  const { view } = decodeView("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z");
  assertEquals(view.range, EMPTY_VIEW.range);
});
