/**
 * A CSV in BTrDB's format, as eight channels of a phasor measurement unit give it.
 *
 * @module
 */

import { type CsvStream, formatCsv } from "../../src/kernel/mod.ts";

/** Names of the channels. */
export const CHANNELS: readonly string[] = [
  "L1MAG",
  "L1ANG",
  "L2MAG",
  "L2ANG",
  "L3MAG",
  "L3ANG",
  "FREQ",
  "ROCOF",
];

const START = 1_561_953_600_000_000_000n;
/** 120 Hz. */
const STEP = 8_333_333n;
const PIECE = 65_536;

/**
 * Writes the file, unless it is there.
 *
 * @param path File to write.
 * @param rows Rows after the header.
 * @returns Its size, bytes.
 */
export async function writePmuCsv(path: string, rows: number): Promise<number> {
  const known = await Deno.stat(path).catch(() => undefined);
  if (known !== undefined) return known.size;
  using file = await Deno.open(`${path}.new`, { write: true, create: true, truncate: true });
  for (let from = 0; from < rows; from += PIECE) {
    const n = Math.min(PIECE, rows - from);
    const streams = CHANNELS.map((name, c) => channel(`pmu/${name}`, c, from, n));
    const bytes = formatCsv(streams, { header: from === 0 });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  }
  await Deno.rename(`${path}.new`, path);
  return (await Deno.stat(path)).size;
}

/** Samples of one channel: a slow sine and noise of six decimals. */
function channel(
  label: string,
  c: number,
  from: number,
  n: number,
): CsvStream {
  const times = new BigInt64Array(n);
  const values = new Float64Array(n);
  let state = (from * 8 + c + 1) >>> 0;
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const noise = state / 4_294_967_296;
    times[i] = START + BigInt(from + i) * STEP;
    values[i] = Math.round((100 * c + 50 * Math.sin((from + i) / 500) + noise) * 1e6) / 1e6;
  }
  return { label, columns: { times, values } };
}
