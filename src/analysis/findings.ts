/**
 * Findings about the points of a stream: runs of points, counted exactly and listed up to a limit.
 *
 * @module
 */

/** A gap, or a run of duplicate, repeated, zero or extreme points: its range and number of points. */
export interface Finding {
  /** Time of the first point, ns since the Unix epoch, UTC; of a gap, the point before it. */
  start: bigint;
  /** Time of the last point; of a gap, the point after it. */
  end: bigint;
  /** Number of points in it; of a gap, of points that are missing. */
  points: bigint;
}

/** Findings of one kind. */
export interface Findings {
  /** Points in all of them, also in those that are not listed. */
  points: bigint;
  /** Number of findings. */
  runs: bigint;
  /** The first ones in order of time; `runs` may be more. */
  list: Finding[];
}

/** Collects findings of one kind. */
export class FindingList implements Findings {
  points = 0n;
  runs = 0n;
  readonly list: Finding[] = [];
  readonly #limit: number;

  /** @param limit Most findings that are listed. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Adds a finding that comes after those before. */
  add(finding: Finding): void {
    this.points += finding.points;
    this.runs++;
    if (this.list.length < this.#limit) this.list.push(finding);
  }
}

/** Finds runs of points in order of time, from single points and from whole windows. */
export class RunTracker {
  readonly found: FindingList;
  readonly #fewest: bigint;
  #start = 0n;
  #last: bigint | undefined;
  #points = 0n;

  /**
   * @param fewest Points that make a run.
   * @param limit Most runs that are listed.
   */
  constructor(fewest: number, limit: number) {
    this.#fewest = BigInt(fewest);
    this.found = new FindingList(limit);
  }

  /** True while a run is under way. */
  get isOpen(): boolean {
    return this.#points > 0n;
  }

  /** Adds a point to the run, or begins one. */
  add(time: bigint): void {
    if (this.#points === 0n) this.#start = time;
    this.#points++;
    this.#last = time;
  }

  /** Adds the points of a window to the run that is under way; when its last one was is unknown. */
  extend(points: bigint): void {
    this.#points += points;
    this.#last = undefined;
  }

  /** Says when the last point of {@linkcode RunTracker.extend} was. */
  reach(last: bigint): void {
    this.#last = last;
  }

  /** True if the time of the last point is not known. */
  get needsEnd(): boolean {
    return this.#points > 0n && this.#last === undefined;
  }

  /** Ends the run, if there is one; the time of its last point is known. */
  end(): void {
    if (this.#points >= this.#fewest && this.#points > 0n) {
      this.found.add({ start: this.#start, end: this.#last!, points: this.#points });
    }
    this.#points = 0n;
  }
}
