/** Plots as SVG files. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { plotSvg, type SvgSeries } from "../../../src/plot/mod.ts";
import { holds } from "../../support/property.ts";

function windowsOf(rows: readonly (readonly [time: bigint, min: number, max: number])[]) {
  const column = (f: (row: readonly [bigint, number, number]) => number) =>
    Float64Array.from(rows, f);
  return {
    times: BigInt64Array.from(rows, ([time]) => time),
    min: column(([, min]) => min),
    mean: column(([, min, max]) => min / 2 + max / 2),
    max: column(([, , max]) => max),
    count: BigUint64Array.from(rows, () => 1n),
  };
}

/** Names of open elements that are left; throws where one is closed that is not open. */
function leftOpen(svg: string): string[] {
  const open: string[] = [];
  for (
    const [, close, name, , self] of svg.matchAll(/<(\/?)([a-zA-Z]+)((?:"[^"]*"|[^">])*?)(\/?)>/g)
  ) {
    if (close === "/") assertEquals(open.pop(), name);
    else if (self !== "/") open.push(name!);
  }
  return open;
}

Deno.test("plotSvg: points far apart in short windows are dots, not blocks as long as their distance", () => {
  const rows = [0n, 100_000n, 200_000n, 900_000n].map((time) => [time, 5, 5] as const);
  const one = { label: "rare", columns: windowsOf(rows) };
  const range = { start: 0n, end: 1_000_000n };
  const dots = (svg: string) => svg.match(/<circle/g)?.length ?? 0;
  assertEquals(dots(plotSvg([{ ...one, window: 1n }], range)), 4);
  const widths = plotSvg([{ ...one, window: 1n }], range).matchAll(/<rect [^>]*width="([\d.]+)"/g);
  const narrow = [...widths].filter(([, width]) => Number(width) < 2).length;
  assertEquals(narrow, 4, "strips of density are as long as the windows");
});

Deno.test("plotSvg: one window alone is seen", () => {
  const one = { label: "one", columns: windowsOf([[500n, 3, 3]]) };
  assert(plotSvg([one], { start: 0n, end: 1000n }).includes("<circle"));
});

Deno.test("plotSvg: without any points there are axes, and no line", () => {
  const svg = plotSvg([{ label: "none", columns: windowsOf([]) }], { start: 0n, end: 1000n });
  assertEquals(leftOpen(svg), []);
  assert(!svg.includes("<circle") && !svg.includes("NaN"));
});

Deno.test("plotSvg: whatever names, values and ranges are, the file is well-formed and has no NaN", () => {
  const series: fc.Arbitrary<SvgSeries> = fc.record({
    label: fc.string({ unit: "binary", maxLength: 30 }),
    unit: fc.option(fc.string({ unit: "binary", maxLength: 12 }), { nil: undefined }),
    columns: fc.uniqueArray(fc.bigInt(0n, 10n ** 9n), { maxLength: 20 }).chain((times) =>
      fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
        minLength: times.length,
        maxLength: times.length,
      }).map((values) =>
        windowsOf(
          times.sort((a, b) => a < b ? -1 : 1).map((time, i) => [time, values[i]!, values[i]!]),
        )
      )
    ),
  });
  const property = fc.property(
    fc.array(series, { maxLength: 4 }),
    fc.bigInt(10n, 2n * 10n ** 9n),
    (all, end) => {
      const svg = plotSvg(all, { start: 0n, end });
      assertEquals(leftOpen(svg), []);
      assert(
        !/NaN|Infinity|undefined/.test(svg.replace(/<(title|text|desc)[\s\S]*?<\/\1>/g, "")),
        svg,
      );
      // deno-lint-ignore no-control-regex -- characters that XML forbids
      assert(!/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(svg));
    },
  );
  holds(property);
});

// A mean that was no number broke the line off in the picture: nothing behind it was drawn.
Deno.test("plotSvg: means that are no numbers leave the rest of the line as it is", () => {
  const times = Array.from({ length: 8 }, (_, i) => BigInt(i) * 1000n);
  const columns = windowsOf(times.map((time, i) => [time, i, i + 1] as const));
  const draw = (mean: Float64Array) =>
    plotSvg([{ label: "a", columns: { ...columns, mean } }], { start: 0n, end: 8000n });
  const whole = draw(columns.mean).length;
  for (const odd of [NaN, Infinity, -Infinity]) {
    for (const at of [0, 3, 7]) {
      const svg = draw(columns.mean.with(at, odd));
      assert(!/NaN|Infinity/.test(svg), svg);
      assert(svg.length > 0.8 * whole && svg.length < whole, `${svg.length} of ${whole}`);
    }
  }
});
