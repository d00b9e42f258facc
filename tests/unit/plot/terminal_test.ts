import { withEscapes } from "../../../src/plot/sgr.ts";
import { assert, assertEquals } from "@std/assert";
import { timeTicks, valueAxis, valueLabel } from "../../../src/plot/axis.ts";
import { BrailleCanvas } from "../../../src/plot/braille.ts";
import { plotTerminal } from "../../../src/plot/mod.ts";
import { toPixels } from "../../../src/plot/pixels.ts";
import type { StatColumns } from "../../../mod.ts";

const SECOND = 1_000_000_000n;
const MORNING = 1_709_280_000n * SECOND; // 2024-03-01T08:00:00Z

function windows(times: bigint[], mean: number[], spread = 0): StatColumns {
  return {
    times: BigInt64Array.from(times),
    min: Float64Array.from(mean, (m) => m - spread),
    mean: Float64Array.from(mean),
    max: Float64Array.from(mean, (m) => m + spread),
    count: BigUint64Array.from(mean, () => 1n),
  };
}

function plain(canvas: BrailleCanvas): string[] {
  return Array.from({ length: canvas.rows }, (_, row) => canvas.row(row, (text) => text));
}

Deno.test("BrailleCanvas: every dot of a character", () => {
  const dots = ["⠁", "⠂", "⠄", "⡀", "⠈", "⠐", "⠠", "⢀"];
  dots.forEach((expected, i) => {
    const canvas = new BrailleCanvas(1, 1);
    canvas.set(i >> 2, i & 3, 1);
    assertEquals(plain(canvas), [expected]);
  });
  const full = new BrailleCanvas(1, 1);
  full.line(0, 3, 0, 0, 1);
  full.line(1, 0, 1, 3, 1);
  assertEquals(plain(full), ["⣿"]);
});

Deno.test("BrailleCanvas: outside is nowhere, lines go everywhere", () => {
  const canvas = new BrailleCanvas(2, 1);
  for (const [x, y] of [[-1, 0], [4, 0], [0, -1], [0, 4]] as const) canvas.set(x, y, 1);
  assertEquals(plain(canvas), ["  "]);
  canvas.line(0, 3, 3, 0, 1);
  assertEquals(plain(canvas), ["⡠⠊"]);
  const painted = new BrailleCanvas(3, 1);
  painted.set(0, 0, 1);
  painted.set(4, 0, 1);
  painted.set(4, 1, 2);
  assertEquals(painted.row(0, (text, layer) => `${layer}[${text}]`), "1[⠁]0[ ]2[⠃]");
});

// The difference of such values is beyond all doubles, and a line to a dot that was no number had no
// end: the command hung, with a processor of its own, and no interrupt was seen.
Deno.test("plotTerminal: values of any size, and means that are none, are drawn to an end", () => {
  const times = [0n, SECOND, 2n * SECOND, 3n * SECOND];
  const most = Number.MAX_VALUE;
  for (
    const mean of [
      [-most, most, 0, 1],
      [1e308, -1e308, 1e308, -1e308],
      [most, most, most, most],
      [0, Number.MIN_VALUE, 0, -Number.MIN_VALUE],
      [1, NaN, 2, 3],
      [1, Infinity, -Infinity, 3],
    ]
  ) {
    const columns = { ...windows(times, mean), mean: Float64Array.from(mean) };
    for (const width of [1, 30, 200]) {
      const lines = plotTerminal([{ label: "a", columns }], { width, height: 12 }).split("\n");
      assert(lines.slice(1).some((line) => /[\u2801-\u28ff]/.test(line)), lines.join("\n"));
    }
  }
  const large = windows(times, [-most, most, -most, most]);
  const [, first] = plotTerminal([{ label: "a", columns: large }], { height: 12 }).split("\n");
  assert(/[\u2801-\u28ff]/.test(first!), "the largest value is at the top");
});

Deno.test("valueAxis: round values", () => {
  assertEquals(valueAxis(0, 10, 6).ticks, [0, 2, 4, 6, 8, 10]);
  assertEquals(valueAxis(-0.6, 1.1, 5).ticks, [-0.5, 0, 0.5, 1]);
  const flat = valueAxis(5, 5, 5);
  assert(flat.low < 5 && flat.high > 5);
  assert(valueAxis(0, 0, 3).high > 0);
  assertEquals(valueAxis(0, 0.004, 5).digits, 3);
  assertEquals([valueLabel(1.5, 1), valueLabel(0, 0), valueLabel(1e20, 0)], [
    "1.5",
    "0",
    "1.00e+20",
  ]);
});

Deno.test("timeTicks: round times of the clock", () => {
  const labels = (span: bigint, tz = "UTC"): string[] =>
    timeTicks(MORNING, MORNING + span, 5, tz).map(({ label }) => label);
  assertEquals(labels(4n * SECOND), ["08:00:00", "08:00:01", "08:00:02", "08:00:03"]);
  assertEquals(labels(20_000_000n)[1], "08:00:00.005");
  assertEquals(labels(40n)[1], "08:00:00.00000001");
  assertEquals(labels(3600n * SECOND), ["08:00", "08:15", "08:30", "08:45"]);
  assertEquals(labels(5n * 86_400n * SECOND)[0], "2024-03-02");
  assertEquals(labels(3600n * SECOND, "Asia/Kathmandu")[0], "13:45");
  const ticks = timeTicks(MORNING + 1n, MORNING + SECOND, 5, "UTC");
  assert(ticks.every(({ time }) => time > MORNING && time < MORNING + SECOND));
});

Deno.test("toPixels: windows that share one, weighted by count", () => {
  const columns = windows([0n, 1n, 10n, 19n], [1, 3, 5, 7], 1);
  columns.count[1] = 3n;
  columns.count[3] = 0n;
  const pixels = toPixels(columns, 0n, 20n, 2);
  assertEquals([pixels.low, pixels.high], [0, 6]);
  assertEquals(Array.from(pixels.mean), [2.5, 5]);
  assertEquals([pixels.min[0], pixels.max[0]], [0, 4]);
  assertEquals(Array.from(toPixels(columns, 100n, 200n, 2).filled), [0, 0]);
});

Deno.test("plotTerminal: a rising line, axes, the day", () => {
  const times = Array.from({ length: 40 }, (_, i) => MORNING + BigInt(i) * SECOND);
  const text = plotTerminal([{ label: "up", columns: windows(times, times.map((_, i) => i)) }], {
    width: 32,
    height: 8,
  });
  assertEquals(
    text,
    `            up
           │                ⣀⠤⠒⠉
           │            ⣀⠤⠒⠉
        20 ┤        ⣀⠤⠒⠉
           │    ⣀⠤⠒⠉
         0 ┤⣀⠤⠒⠉
2024-03-01 └┬───────────────────
          08:00
`,
  );
});

Deno.test("plotTerminal: a gap is a gap, a band is dotted", () => {
  const early = Array.from({ length: 10 }, (_, i) => MORNING + BigInt(i) * SECOND);
  const late = early.map((time) => time + 60n * SECOND);
  const columns = windows([...early, ...late], [...early, ...late].map(() => 1), 0.5);
  const text = plotTerminal([{ label: "a", columns }], { width: 60, height: 10 });
  const middle = text.split("\n")[4]!;
  assert(/[\u2801-\u28ff]\s{20,}[\u2801-\u28ff]/.test(middle), text);
  assert(text.includes("⢕") || text.includes("⡪"), text);
});

Deno.test("plotTerminal: several series, colours, nothing", () => {
  const times = Array.from({ length: 20 }, (_, i) => MORNING + BigInt(i) * SECOND);
  const series = [
    { label: "a", columns: windows(times, times.map((_, i) => i)) },
    { label: "b", columns: windows(times, times.map((_, i) => -i)) },
  ];
  const stacked = plotTerminal(series, { width: 50, height: 20 });
  assert(stacked.indexOf(" b\n") > stacked.indexOf(" a\n"), stacked);
  assert(!withEscapes(stacked).includes("\x1b"), stacked);
  const overlaid = plotTerminal(series, { width: 50, height: 20, overlay: true, color: true });
  assert(withEscapes(overlaid).includes("\x1b[36ma\x1b[39m   \x1b[33mb\x1b[39m"), overlaid);
  for (const line of stacked.split("\n")) assert(line.length <= 50, line);
  const empty = windows([], []);
  assertEquals(plotTerminal([{ label: "e", columns: empty }]), "e: no points in this range\n");
  const outside = plotTerminal([series[0]!], { start: 0n, end: 5n, width: 40, height: 8 });
  assert(outside.includes("no points in this range"), outside);
});
