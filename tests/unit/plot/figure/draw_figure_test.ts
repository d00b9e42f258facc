/** Figures, as SVG. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { drawFigure } from "../../../../src/plot/figure/draw_figure.ts";
import { type Figure, layOut, valueAt, yOf } from "../../../../src/plot/figure/layout.ts";
import { PixelColumns } from "../../../../src/plot/figure/pixel_columns.ts";
import { PALETTES } from "../../../../src/plot/figure/palette.ts";
import { SvgPainter } from "../../../../src/plot/figure/svg_painter.ts";
import { valueScale } from "../../../../src/plot/figure/value_scale.ts";

function columnsOf(values: readonly (number | undefined)[]): PixelColumns {
  const columns = new PixelColumns(0n, BigInt(values.length), values.length);
  values.forEach((value, i) => {
    if (value === undefined) return;
    const one = Float64Array.of(value);
    const windows = { base: 0n, offsets: Float64Array.of(i), width: 1, count: Float64Array.of(1) };
    columns.add({ ...windows, min: one, mean: one, max: one }, 0n, BigInt(values.length));
  });
  return columns;
}

function figureOf(values: readonly (number | undefined)[], more: Partial<Figure> = {}): Figure {
  const auto = { kind: "auto" as const };
  const series = [{
    label: "a",
    unit: "V",
    columns: columnsOf(values),
    ink: 0,
    side: "left" as const,
  }];
  return {
    width: 400,
    height: 200,
    start: 0n,
    end: BigInt(values.length),
    zone: "UTC",
    plots: [{ series, left: auto, right: auto }],
    band: true,
    density: true,
    ...more,
  };
}

function svgOf(figure: Figure, title = "t"): string {
  const painter = new SvgPainter({ width: figure.width, height: figure.height, title });
  drawFigure(painter, figure, layOut(figure));
  return painter.toString();
}

const linesOf = (svg: string) =>
  [...svg.matchAll(/<path d="([^"]+)" class="s-0" stroke-width="1.4"/g)].map(([, d]) => d!);

Deno.test("drawFigure: a line is broken where there is a gap, and a lonely point is a dot", () => {
  const values = Array.from({ length: 60 }, (_, i) => i < 20 || i >= 40 ? Math.sin(i) : undefined);
  values[30] = 0.5;
  const svg = svgOf(figureOf(values));
  const [line] = linesOf(svg);
  assertEquals(line!.match(/M/g)!.length, 3);
  assertEquals(svg.match(/<circle/g)!.length, 1);
});

Deno.test("drawFigure: without points there are axes and no line", () => {
  const svg = svgOf(figureOf(Array.from({ length: 10 }, () => undefined)));
  assertEquals(linesOf(svg).length, 0);
  assertStringIncludes(svg, "UTC");
  assert(!svg.includes("NaN") && !svg.includes("Infinity"), svg);
});

Deno.test("drawFigure: values of any size are drawn without a number that is none", () => {
  for (
    const values of [[1e308, -1e308], [5e-324, 0], [7, 7, 7], [-0, 0], [1e300, 1e300], [
      1e15,
      1e15 + 1,
    ]]
  ) {
    const svg = svgOf(figureOf(values));
    assert(!/NaN|Infinity|undefined/.test(svg), `${values}: ${svg}`);
  }
});

Deno.test("SvgPainter: names and units are text, whatever is in them", () => {
  const label = "\"><script>alert(1)</script>\u0000\u0007\ud800 ]]> & '";
  const figure = figureOf([1, 2, 3], { legend: true });
  const [plot] = figure.plots;
  const series = [{ ...plot!.series[0]!, label, unit: "<b>" }];
  const svg = svgOf({ ...figure, plots: [{ ...plot!, series }] }, label);
  assert(!svg.includes("<script"));
  assertStringIncludes(svg, "&lt;script&gt;");
  // deno-lint-ignore no-control-regex -- they are what must not be there
  assert(!/[\x00-\x08]/.test(svg));
  assert(svg.isWellFormed());
});

Deno.test("SvgPainter: light and dark are in one file, and a picture has a name", () => {
  const svg = svgOf(figureOf([1, 2, 3]), "grid/pmu-1");
  assertMatch(svg, /@media\(prefers-color-scheme:dark\)/);
  assertStringIncludes(svg, PALETTES.light.series[0]!);
  assertStringIncludes(svg, PALETTES.dark.series[0]!);
  assertStringIncludes(svg, "<title>grid/pmu-1</title>");
  assertStringIncludes(svg, 'role="img"');
});

Deno.test("layOut: places of values and values of places are inverse", () => {
  const layout = layOut(figureOf([1, 2, 3]));
  const [place] = layout.plots;
  for (const value of [1, 1.7, 3]) {
    const y = yOf(place!, place!.left!, value);
    assert(Math.abs(valueAt(place!, place!.left!, y) - value) < 1e-9);
    assert(y >= place!.top && y <= place!.top + place!.height);
  }
});

Deno.test("valueScale: from zero, fixed, and held while the view moves", () => {
  const auto = { kind: "auto" } as const;
  const zero = valueScale([5, 10], { kind: "zero" }, 300);
  assertEquals(zero.low, 0);
  assert(zero.high > 10);
  assertEquals(valueScale([5, 10], { kind: "fixed", low: -1, high: 1 }, 300).low, -1);
  const held = valueScale([0, 10], auto, 300);
  assertEquals(valueScale([4, 6], auto, 300, held), held);
  const grown = valueScale([4, 20], auto, 300, held);
  assertEquals([grown.low, grown.high > 20], [held.low, true]);
});
