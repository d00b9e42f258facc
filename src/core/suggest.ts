/**
 * Suggests close matches for a mistyped name ("did you mean").
 *
 * @module
 */

/**
 * The hint `did you mean a or b?`.
 *
 * @param near Names that may have been meant, as {@linkcode nearest} returns them.
 * @param otherwise The hint if there are none.
 */
export function didYouMean<T extends string | undefined>(
  near: readonly string[],
  otherwise: T,
): string | T {
  return near.length > 0 ? `did you mean ${near.join(" or ")}?` : otherwise;
}

/**
 * The Damerau-Levenshtein distance (optimal string alignment) of two texts: the fewest
 * insertions, deletions, replacements and swaps of neighbours that turn one into the other.
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, before[j - 2]! + 1);
      }
      row.push(best);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}

/**
 * The candidates nearest to `text`, best first: those that contain it, and those a few edits away.
 *
 * @param text The mistyped name.
 * @param candidates Names that exist.
 * @param limit Most to return.
 */
export function nearest(text: string, candidates: Iterable<string>, limit = 5): string[] {
  const wanted = text.toLowerCase();
  const allowed = Math.max(2, Math.floor(wanted.length / 3));
  const scored: { score: number; candidate: string }[] = [];
  for (const candidate of candidates) {
    const low = candidate.toLowerCase();
    const contains = wanted.length > 1 && low.includes(wanted);
    // A difference in length is a distance already. Names of requests can be long.
    if (Math.abs(wanted.length - low.length) > allowed && !contains) continue;
    const score = contains ? 0.5 : editDistance(wanted, low);
    if (contains || score <= allowed) scored.push({ score, candidate });
  }
  scored.sort((a, b) => a.score - b.score || (a.candidate < b.candidate ? -1 : 1));
  return scored.slice(0, limit).map(({ candidate }) => candidate);
}
