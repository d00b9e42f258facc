/** Views as fragments of addresses. */

import { assert, assertEquals } from "@std/assert";
import { decodeView, encodeView } from "../../../src/web/plotter/view_fragment.ts";
import { AUTO, EMPTY_VIEW, type ViewState } from "../../../src/web/plotter/view_state.ts";

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
