/** Changes of views. */

import { assertEquals } from "@std/assert";
import {
  clamped,
  panned,
  seriesOf,
  withMoved,
  withoutStream,
  withStream,
  zoomed,
} from "../../../src/web/plotter/view_changes.ts";
import { EMPTY_VIEW, type ViewState } from "../../../src/web/plotter/view_state.ts";
import { MAX_TIME, MIN_TIME } from "../../../src/core/range.ts";

const UNITS: Record<string, string> = { v1: "V", v2: "V", a1: "A", d1: "deg" };
const unitOf = (uuid: string) => UNITS[uuid];
const shape = (view: ViewState) =>
  view.plots.map(({ series }) => series.map(({ uuid, side }) => `${uuid} ${side}`));
const viewOf = (...uuids: string[]) =>
  uuids.reduce((view, uuid) => withStream(view, uuid, unitOf), EMPTY_VIEW);

Deno.test("withStream: streams of one unit share a plot, others get their own, colours differ", () => {
  const view = viewOf("v1", "a1", "v2");
  assertEquals(shape(view), [["v1 left", "v2 left"], ["a1 left"]]);
  assertEquals(seriesOf(view).map(({ ink }) => ink).sort(), [0, 1, 2]);
});

Deno.test("withoutStream: an empty plot goes, and its colour is free again", () => {
  const view = withoutStream(viewOf("v1", "a1"), "v1");
  assertEquals(shape(view), [["a1 left"]]);
  assertEquals(seriesOf(withStream(view, "d1", unitOf)).map(({ ink }) => ink), [1, 0]);
});

Deno.test("withMoved: another unit goes to the right axis, unless a side is named", () => {
  const view = viewOf("v1", "a1", "d1");
  assertEquals(shape(withMoved(view, "a1", 0, undefined, unitOf)), [["v1 left", "a1 right"], [
    "d1 left",
  ]]);
  assertEquals(shape(withMoved(view, "a1", 0, "left", unitOf))[0], ["v1 left", "a1 left"]);
  assertEquals(shape(withMoved(view, "v1", 9, undefined, unitOf)), [["a1 left"], ["d1 left"], [
    "v1 left",
  ]]);
  assertEquals(withMoved(view, "none", 0, undefined, unitOf), view);
});

Deno.test("zoomed: the moment at the pointer stays where it is", () => {
  const span = { start: 1_000n, end: 2_000n };
  assertEquals(zoomed(span, 0.5, 0.25), { start: 1_125n, end: 1_625n });
  assertEquals(zoomed(span, 2, 1), { start: 0n, end: 2_000n });
});

Deno.test("zoomed: never beyond the legal times, nor below ten nanoseconds", () => {
  let span = { start: 0n, end: 10n ** 18n };
  for (let i = 0; i < 200; i++) span = zoomed(span, 0.5, 0.3);
  assertEquals(span.end - span.start, 10n);
  for (let i = 0; i < 200; i++) span = zoomed(span, 2, 0.3);
  assertEquals(span, { start: MIN_TIME, end: MAX_TIME });
});

Deno.test("panned: a range at the end of the legal times keeps its length", () => {
  assertEquals(panned({ start: 0n, end: 100n }, 0.5), { start: 50n, end: 150n });
  const last = { start: MAX_TIME - 100n, end: MAX_TIME };
  assertEquals(panned(last, 3), last);
  assertEquals(clamped({ start: MIN_TIME - 5n, end: MIN_TIME + 95n }), {
    start: MIN_TIME,
    end: MIN_TIME + 100n,
  });
});
