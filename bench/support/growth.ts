/**
 * Growth tables: what something costs at several sizes, and the exponent of its growth.
 *
 * @module
 */

/** Figures of one run, by name with the unit in it: `{ "CPU, ms": 12 }`. */
export type Figures = Readonly<Record<string, number>>;

/** Something that is measured at several sizes. */
export interface Growth {
  /** Name of the work. */
  readonly name: string;
  /** Unit of the sizes, e.g. `"versions"`. */
  readonly axis: string;
  /** Ascending. */
  readonly sizes: readonly number[];
  /** Does it once; `source` is the URL of the sources to be measured. */
  run(size: number, source: URL): Promise<Figures>;
}

const registered: Growth[] = [];

/** All growths of the modules imported so far. */
export function growths(): readonly Growth[] {
  return registered;
}

/** Registers something to be measured. */
export function growth(definition: Growth): void {
  registered.push(definition);
}

/** One line of a table: a figure at all sizes. */
export interface GrowthRow {
  readonly name: string;
  readonly axis: string;
  readonly sizes: readonly number[];
  readonly figure: string;
  /** Sources that were measured. */
  readonly of: string;
  readonly values: readonly number[];
  /** Slope of the logarithms by least squares: 1 is linear, 0 constant. */
  readonly exponent: number;
}

/**
 * Measures a growth, with each of the sources in turns.
 *
 * @param sources URLs of folders with `src/` in them, by name.
 */
export async function measureGrowth(
  { name, axis, sizes, run }: Growth,
  sources: ReadonlyMap<string, URL>,
): Promise<GrowthRow[]> {
  const found = new Map<string, Map<string, number[]>>();
  for (const size of sizes) {
    for (const [of, source] of sources) {
      console.error(`… ${name}: ${size} ${axis}, ${of}`);
      for (const [figure, value] of Object.entries(await run(size, source))) {
        const byFigure = found.get(of) ?? new Map<string, number[]>();
        found.set(of, byFigure);
        byFigure.set(figure, [...byFigure.get(figure) ?? [], value]);
      }
    }
  }
  return [...found].flatMap(([of, byFigure]) =>
    [...byFigure].map(([figure, values]) => ({
      name,
      axis,
      sizes,
      figure,
      of,
      values,
      exponent: sizes.length === 1
        ? NaN
        : slope(sizes.slice(0, values.length).map(Math.log), values.map(Math.log)),
    }))
  );
}

function slope(x: readonly number[], y: readonly number[]): number {
  const mean = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;
  const [mx, my] = [mean(x), mean(y)];
  const over = x.reduce((sum, one, i) => sum + (one - mx) * (y[i]! - my), 0);
  return over / x.reduce((sum, one) => sum + (one - mx) ** 2, 0);
}

/** Three digits of a number. */
function short(value: number): string {
  if (!Number.isFinite(value)) return "";
  return value >= 1000 ? Math.round(value).toLocaleString("en") : String(+value.toPrecision(3));
}

/** Growth tables in Markdown. */
export function growthTable(rows: readonly GrowthRow[]): string {
  const lines: string[] = [];
  for (const row of rows) {
    if (lines.length === 0 || rows[rows.indexOf(row) - 1]?.name !== row.name) {
      const sizes = row.sizes.map((size) => `${short(size)} ${row.axis}`);
      lines.push("", `| ${[row.name, "sources", ...sizes, "exponent"].join(" | ")} |`);
      lines.push(`|${" --- |".repeat(row.sizes.length + 3)}`);
    }
    const exponent = Number.isNaN(row.exponent) ? "" : row.exponent.toFixed(2);
    const cells = [row.figure, row.of, ...row.values.map(short), exponent];
    lines.push(`| ${cells.join(" | ")} |`);
  }
  return lines.join("\n");
}
