/**
 * Progress of long work on stderr: one line rewritten in place on a terminal, elsewhere a plain
 * line now and then.
 *
 * @module
 */

import { roughDuration } from "../words/durations.ts";
import { rewriteLine, writeErr } from "./output.ts";
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
const BAR = 20;

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
      this.#terminal,
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
 * @param bar True to draw a bar.
 */
export function progressLine(
  label: string,
  state: ProgressState,
  seconds: number,
  firstPart: number,
  bar: boolean,
): string {
  const parts: string[] = [];
  if (state.points !== undefined) {
    parts.push(`${rough(state.points)} points`);
    if (seconds > 0) parts.push(`${rough(state.points / seconds)} points/s`);
  }
  if (state.bytes !== undefined) parts.push(bytesText(state.bytes));
  let head = label;
  if (state.part !== undefined) {
    const part = Math.min(1, Math.max(0, state.part));
    const full = Math.round(part * BAR);
    if (bar) head += ` ${"█".repeat(full)}${"░".repeat(BAR - full)}`;
    head += ` ${Math.floor(part * 100)} %`;
    const done = part - firstPart;
    if (done > 0 && part < 1) {
      const leftSeconds = seconds * (1 - part) / done;
      parts.push(
        `${roughDuration(BigInt(Math.max(1, Math.round(leftSeconds))) * 1_000_000_000n)} left`,
      );
    }
  }
  return `${head}  ${parts.join("  ")}`;
}
