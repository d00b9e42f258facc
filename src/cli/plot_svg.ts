/**
 * Streams of a database as an SVG file.
 *
 * @module
 */

import type { Context } from "./context.ts";
import { notFound } from "./errors.ts";
import { type Destination, destination, fileSink } from "./export/sink.ts";
import type { TimeRange } from "./ranges.ts";
import { lineOut } from "./terminal/escape.ts";
import type { NamedStream } from "./words/stream_names.ts";

/** Windows read for a picture: one a pixel on screens with two pixels a CSS pixel. */
const WINDOWS = 1_760n;

/** Options of {@linkcode plotSvgFile}. */
export interface SvgFileOptions {
  /** Path of the file; `-` is stdout. */
  readonly path: string;
  readonly overlay: boolean;
  /** CSS pixels. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/**
 * Writes a picture of streams.
 *
 * @param range Range to plot, or `undefined` if there are no points.
 */
export async function plotSvgFile(
  context: Context,
  streams: readonly NamedStream[],
  range: TimeRange | undefined,
  { path, overlay, width, height }: SvgFileOptions,
): Promise<void> {
  if (range === undefined) {
    throw notFound("There are no points to plot", "`btrdb ls -l` shows where points are");
  }
  const output = path === "-" ? undefined : destination(path);
  const { start, end } = range;
  const step = (end - start + WINDOWS - 1n) / WINDOWS || 1n;
  const until = start + (end - start + step - 1n) / step * step;
  const shown = path === "-" ? lineOut : (text: string) => text;
  const series = [];
  for (const { stream, path: label, unit } of streams) {
    const columns = await stream.windows(start, until, step, { signal: context.signal }).collect();
    series.push({ label: shown(label), unit: unit && shown(unit), columns, window: step });
  }
  const { plotSvg } = await import("../plot/mod.ts");
  const svg = plotSvg(series, {
    start,
    end,
    tz: context.frame.tz,
    overlay,
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
  });
  if (output === undefined) return context.print(svg);
  await writeWhole(output, new TextEncoder().encode(svg));
  context.talk(`${path}: ${svg.length} characters`);
}

/** Writes a file, all of it or nothing: a picture that was there before stays until then. */
async function writeWhole(output: Destination, bytes: Uint8Array): Promise<void> {
  const sink = fileSink(output, false);
  try {
    const writer = sink.stream.getWriter();
    await writer.write(bytes);
    await writer.close();
    await sink.finish();
  } catch (error) {
    await sink.abandon(false);
    throw sink.failure ?? error;
  }
}
