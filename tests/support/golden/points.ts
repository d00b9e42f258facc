/** Comparing raw values with recorded ones. */

import type { RawColumns } from "../../../src/core/columns.ts";
import { goldenDouble } from "./recording.ts";
import { Fnv1a } from "./checksum.ts";
import { countOf, type Quirks, type Recorded, show } from "./diff.ts";

type Point = [time: bigint, value: number];

const pointOf = ([time, value]: Recorded): Point => [BigInt(time), goldenDouble(value)];

/** Differences of points; those of equal time are a multiset. */
export function compareRaw(raw: RawColumns, recorded: Recorded, quirks: Quirks): string[] {
  const n = raw.times.length;
  for (let i = 1; i < n; i++) {
    if (raw.times[i]! < raw.times[i - 1]!) return [`point ${i} is not in order of time`];
  }
  const wanted = countOf(recorded);
  if (quirks.has("duplicates-truncated-1024")) {
    const known = Array.isArray(recorded) ? recorded : [recorded.first];
    return n < wanted ? [`${n} points, recorded ${wanted}`] : containsPoints(raw, known);
  }
  if (n !== wanted) return [`${n} points, recorded ${wanted}`];
  if (Array.isArray(recorded)) return comparePoints(raw, recorded.map(pointOf), quirks);
  // The checksum is one over the order of arrival, which nobody knows any more.
  if (quirks.has("buffer-not-sorted")) {
    return containsPoints(raw, [recorded.first, recorded.last]);
  }
  const sum = new Fnv1a().column(raw.times).column(raw.values).hex();
  return sum === recorded.checksum ? [] : [`checksum ${sum}, recorded ${recorded.checksum}`];
}

function containsPoints(raw: RawColumns, recorded: Recorded[]): string[] {
  const mine = new Set(Array.from(raw.times, (time, i) => keyOf([time, raw.values[i]!])));
  const missing = recorded.filter((point) => !mine.has(keyOf(pointOf(point))));
  return missing.length === 0 ? [] : [`recorded points ${show(missing)} are missing`];
}

function keyOf([time, value]: Point): string {
  return `${time} ${Object.is(value, -0) ? "-0" : value}`;
}

function comparePoints(raw: RawColumns, points: Point[], quirks: Quirks): string[] {
  const mine = Array.from(raw.times, (time, i): Point => [time, raw.values[i]!]);
  if (!quirks.has("buffer-not-sorted")) {
    const wrong = points.findIndex(([time], i) => time !== mine[i]![0]);
    if (wrong >= 0) {
      return [`point ${wrong}: time ${mine[wrong]![0]}, recorded ${points[wrong]![0]}`];
    }
  }
  const rows = sorted(points), ours = sorted(mine);
  const wrong = rows.findIndex(([time, value], i) =>
    time !== ours[i]![0] || !Object.is(value, ours[i]![1])
  );
  return wrong < 0 ? [] : [`point ${show(ours[wrong])}, recorded ${show(rows[wrong])}`];
}

/** By time, then value, a negative zero before a positive one. */
function sorted(points: Point[]): Point[] {
  const sign = (value: number) => Object.is(value, -0) ? 0 : 1;
  return points.toSorted(([ta, va], [tb, vb]) =>
    ta !== tb ? (ta < tb ? -1 : 1) : va - vb || sign(va) - sign(vb)
  );
}
