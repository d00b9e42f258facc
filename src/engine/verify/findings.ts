/**
 * Findings of a check.
 *
 * @module
 */

/** Most problems that are listed. */
const MAX_PROBLEMS = 100;

/** Findings of {@linkcode verify}. */
export interface VerifyReport {
  /** True if everything is as it should be. */
  ok: boolean;
  /** Streams checked. */
  streams: number;
  /** Versions checked. */
  versions: number;
  /** Blocks checked. */
  blocks: number;
  /** Points in the latest versions, buffered ones included. */
  points: bigint;
  /** Problems found, at most 100 entries. */
  problems: string[];
}

/** A report before anything is checked. */
export function nothingChecked(): VerifyReport {
  return { ok: true, streams: 0, versions: 0, blocks: 0, points: 0n, problems: [] };
}

/** A report that is being made. */
export class Findings {
  readonly report: VerifyReport = nothingChecked();

  /** Takes note of a problem. */
  add(problem: string): void {
    this.report.ok = false;
    if (this.report.problems.length < MAX_PROBLEMS) this.report.problems.push(problem);
  }
}
