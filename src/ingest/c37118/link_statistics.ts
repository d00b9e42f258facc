/**
 * Counts about the frames of a live source: lost, late, and the offset of its clock.
 *
 * @module
 */

import type { DecodeCounts } from "./frame_decoder.ts";

/** Counts of a connection. */
export interface LinkCounts extends DecodeCounts {
  /**
   * Datagrams left out: from other addresses than those of the device, or, where any device may send,
   * of more than 256 devices.
   */
  foreign: number;
  /**
   * Data frames read by a configuration after an announced change of it, as no other one came for 3 s,
   * or 256 frames.
   */
  outdated: number;
}

/** Counts of a source since the command began. */
export interface SourceReport extends LinkCounts {
  /** Address, as given. */
  source: string;
  /** True if it is connected. */
  connected: boolean;
  /** Times that a connection was made. */
  connections: number;
  /** Frames that the data rate says should have come, and did not. */
  lost: number;
  /** Frames older than the newest one before them. */
  late: number;
  /** Frames with the time of the newest one. */
  repeated: number;
  /**
   * Frames with the time of an earlier frame of their stream and other values: of a leap second, of a clock
   * that was set back, or of two devices with one number. Their points replace those of the earlier one,
   * unless `mergePolicy` says otherwise.
   */
  conflicts: number;
  /** Frames dropped because they came faster than they could be kept. */
  overrun: number;
  /** Configurations that differ from the one before. */
  configurations: number;
  /** Time of arrival less time of measurement of the last frame, ms. */
  clockOffsetMs: number | undefined;
  /** Last problem. */
  problem: string | undefined;
}

/** Longest step of time, in either direction, that is no clock that was set, ns. */
const MAX_GAP = 3_600_000_000_000n;
/** Gaps that late frames may fill; the oldest are forgotten first. */
const MAX_GAPS = 256;

/** Times between two frames at which others should have come. */
interface Gap {
  readonly after: bigint;
  readonly before: bigint;
  /** Frames that have not come. */
  missing: number;
}

/** Follows the times of one data stream. */
export class StreamTimes {
  lost = 0;
  late = 0;
  repeated = 0;
  #newest: bigint | undefined;
  #gaps: Gap[] = [];

  /**
   * Takes the time of a frame.
   *
   * @param time ns since the Unix epoch.
   * @param dataRate Frames per second if positive, seconds per frame if negative.
   */
  add(time: bigint, dataRate: number): void {
    const newest = this.#newest;
    if (newest === undefined) {
      this.#newest = time;
      return;
    }
    if (time <= newest) {
      if (newest - time > MAX_GAP) this.#newest = time;
      else if (time === newest) this.repeated++;
      else {
        this.late++;
        this.#fill(time);
      }
      return;
    }
    const gap = time - newest;
    this.#newest = time;
    if (dataRate === 0 || gap > MAX_GAP) return;
    const steps = dataRate > 0 ? Number(gap) * dataRate / 1e9 : Number(gap) / 1e9 / -dataRate;
    const missing = Math.max(0, Math.round(steps) - 1);
    if (missing === 0) return;
    this.lost += missing;
    this.#gaps.push({ after: newest, before: time, missing });
    if (this.#gaps.length > MAX_GAPS) this.#gaps.shift();
  }

  /** A late frame was counted as lost if one was missing at its time. */
  #fill(time: bigint): void {
    const at = this.#gaps.findLastIndex(({ after, before }) => time > after && time < before);
    if (at < 0) return;
    this.lost--;
    if (--this.#gaps[at]!.missing === 0) this.#gaps.splice(at, 1);
  }
}

/** Sums of counts. */
export function addCounts(sum: LinkCounts, more: LinkCounts): LinkCounts {
  const result = { ...sum };
  for (const key of Object.keys(sum) as (keyof LinkCounts)[]) result[key] += more[key];
  return result;
}

/** Counts of nothing. */
export function noCounts(): LinkCounts {
  return {
    frames: 0,
    dataFrames: 0,
    badCrc: 0,
    skippedBytes: 0,
    unconfigured: 0,
    mismatched: 0,
    malformed: 0,
    foreign: 0,
    outdated: 0,
  };
}
