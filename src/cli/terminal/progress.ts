/**
 * Progress of long work on stderr: one line rewritten in place on a terminal, elsewhere a plain
 * line now and then.
 *
 * @module
 */

import { roughDuration } from "../words/durations.ts";
import { escapeLine } from "./escape.ts";
import { rewriteLine, writeErr } from "./output.ts";
import { cutToWidth, mostWidth, terminalWidth } from "./width.ts";
import { bytesText, rough } from "./format.ts";

/** Points, bytes and part of the work done so far. */
export interface ProgressState {
  /** Points done, where points are what is worked on. */
  points?: number;
  /** Bytes read or written, where there are any. */
  bytes?: number;
  /** Part of the work done, 0 to 1, where it is known. */
  part?: number;
}

const TERMINAL_PERIOD_MS = 100;
const PLAIN_PERIOD_MS = 5_000;
/** Columns of a bar, and of one that has little room. */
const BAR = 20;
const SHORT_BAR = 10;

/** A progress line. */
export class Progress {
  readonly #label: string;
  readonly #terminal: boolean;
  readonly #silent: boolean;
  readonly #startMs = performance.now();
  #shownMs: number;
  #firstPart: number | undefined;
  #dirty = false;

  /**
   * @param label Name of the work, e.g. `"Importing"`.
   * @param options `terminal`: stderr is a terminal; `silent`: print nothing.
   */
  constructor(label: string, options: { terminal: boolean; silent: boolean }) {
    this.#label = label;
    this.#terminal = options.terminal;
    this.#silent = options.silent;
    this.#shownMs = this.#startMs;
  }

  /** Seconds since the work began. */
  get seconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  /** Says how far the work is, unless it was just said. */
  update(state: ProgressState): void {
    this.#firstPart ??= state.part;
    const now = performance.now();
    const period = this.#terminal ? TERMINAL_PERIOD_MS : PLAIN_PERIOD_MS;
    if (this.#silent || now - this.#shownMs < period) return;
    this.#shownMs = now;
    const line = progressLine(
      this.#label,
      state,
      this.seconds,
      this.#firstPart ?? 0,
      // The last column stays free: many terminals go to the next line behind it.
      this.#terminal ? terminalWidth() - 1 : undefined,
    );
    if (this.#terminal) rewriteLine(line);
    else writeErr(`${line}\n`);
    this.#dirty = this.#terminal;
  }

  /** Takes the line away, so that something else can be written. */
  clear(): void {
    if (this.#dirty) rewriteLine("");
    this.#dirty = false;
  }
}

/**
 * The text of a progress line.
 *
 * @param label Name of the work.
 * @param state State of the work.
 * @param seconds Since when, s.
 * @param firstPart The part that was done before, when work is resumed.
 * @param columns Room on a terminal, where a bar is drawn: a longer line would go on in the next row,
 * and could not be rewritten. Its bar and its label get shorter, then it loses its bar, then its end.
 */
export function progressLine(
  label: string,
  state: ProgressState,
  seconds: number,
  firstPart: number,
  columns: number | undefined,
): string {
  const rest = `${percentage(state.part)}  ${numbers(state, seconds, firstPart).join("  ")}`;
  if (columns === undefined) return `${label}${rest}`;
  const name = escapeLine(label);
  const whole = `${name}${bar(state.part, BAR)}${rest}`;
  if (mostWidth(whole) <= columns) return whole;
  const withBar = `${bar(state.part, SHORT_BAR)}${rest}`;
  const fits = columns - mostWidth(withBar) >= SHORTEST_LABEL;
  const behind = fits ? withBar : rest;
  const room = Math.max(SHORTEST_LABEL, columns - mostWidth(behind));
  return cutToWidth(`${cutToWidth(name, room)}${behind}`, Math.max(1, columns));
}

/** Fewest columns that a label is cut to, for the sake of the numbers behind it. */
const SHORTEST_LABEL = 10;

function boundedPart(part: number): number {
  return Math.min(1, Math.max(0, part));
}

function bar(part: number | undefined, columns: number): string {
  if (part === undefined) return "";
  const full = Math.round(boundedPart(part) * columns);
  return ` ${"█".repeat(full)}${"░".repeat(columns - full)}`;
}

function percentage(part: number | undefined): string {
  return part === undefined ? "" : ` ${Math.floor(boundedPart(part) * 100)} %`;
}

/** Points, speed, bytes and the time that is left, as far as they are known. */
function numbers(state: ProgressState, seconds: number, firstPart: number): string[] {
  const parts: string[] = [];
  if (state.points !== undefined) {
    parts.push(`${rough(state.points)} points`);
    if (seconds > 0) parts.push(`${rough(state.points / seconds)} points/s`);
  }
  if (state.bytes !== undefined) parts.push(bytesText(state.bytes));
  if (state.part === undefined) return parts;
  const part = boundedPart(state.part);
  const done = part - firstPart;
  if (done > 0 && part < 1) {
    const leftSeconds = seconds * (1 - part) / done;
    const left = BigInt(Math.max(1, Math.round(leftSeconds))) * 1_000_000_000n;
    parts.push(`${roughDuration(left)} left`);
  }
  return parts;
}
