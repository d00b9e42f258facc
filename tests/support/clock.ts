/** The clock of this process. */

/** Has `Date.now` say a later time until it is disposed of. */
export function later(ms: number): Disposable {
  const { now } = Date;
  Date.now = () => now() + ms;
  return {
    [Symbol.dispose](): void {
      Date.now = now;
    },
  };
}

/** The clock of this thread, stopped. */
export interface StoppedClock extends Disposable {
  /** Puts it forward. */
  advance(ms: number): void;
}

/** Stops `Date.now` until it is disposed of. Timers go on as before. */
export function stopClock(): StoppedClock {
  const { now } = Date;
  let ms = now();
  Date.now = () => ms;
  return {
    advance(by: number): void {
      ms += by;
    },
    [Symbol.dispose](): void {
      Date.now = now;
    },
  };
}

/** Has `performance.now` say a later time until it is disposed of. Timers go on as before. */
export function laterOnMonotonicClock(ms: number): Disposable {
  const { now } = performance;
  performance.now = () => now.call(performance) + ms;
  return {
    [Symbol.dispose](): void {
      performance.now = now;
    },
  };
}

/** Has `performance.now` go on by so many ms at each look, and not otherwise, until it is disposed of. */
export function tickingClock(ms: number): Disposable {
  const { now } = performance;
  let nowMs = now.call(performance);
  performance.now = () => nowMs += ms;
  return {
    [Symbol.dispose](): void {
      performance.now = now;
    },
  };
}

/**
 * Stops `performance.now`, and counts the looks at it, until it is disposed of: work in steps looks at it
 * after each.
 */
export function standingClock(): StoppedClock & { readonly looks: number } {
  const { now } = performance;
  let nowMs = now.call(performance);
  let looks = 0;
  performance.now = () => {
    looks++;
    return nowMs;
  };
  return {
    get looks(): number {
      return looks;
    },
    advance(ms: number): void {
      nowMs += ms;
    },
    [Symbol.dispose](): void {
      performance.now = now;
    },
  };
}
