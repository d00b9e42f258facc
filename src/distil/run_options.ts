/**
 * Options and results of runs.
 *
 * @module
 */

import { positiveInteger } from "../client/arguments.ts";
import { outOfRange } from "../core/argument_error.ts";
import { MAX_TIMER_MS } from "../core/call.ts";
import { describe } from "../core/describe.ts";
import { checkOptions, type RequestOptions } from "../core/request_options.ts";
import { MAX_LEASE_MS } from "./ledger_state.ts";

/** Progress of a run. */
export interface DistilProgress {
  /** `"repair"` while outputs that another program changed are computed anew. */
  phase: "repair" | "compute";
  /** Time before which all is done, ns since the Unix epoch, UTC. */
  at: bigint;
  /** Part of the time to compute that is done, 0 to 1. */
  part: number;
  /** Points of inputs read. */
  read: number;
  /** Points of outputs written. */
  written: number;
}

/** Options of a run. */
export interface DistilRunOptions extends RequestOptions {
  /**
   * Commit the points in the write buffers of the inputs first. Without it points count when they
   * are committed, which can take hours.
   *
   * @default {true}
   */
  flush?: boolean | undefined;
  /**
   * Points of inputs and outputs held in memory at a time, about; at least 1,000.
   *
   * @default {1_048_576}
   */
  maxPoints?: number | undefined;
  /**
   * Length of the lease with which a runner keeps others from writing, ms, 1,000 to 3,600,000. It
   * is made longer as the work goes on; after a crash others wait for its end.
   *
   * @default {30_000}
   */
  leaseMs?: number | undefined;
  /** Called after each part of the work. */
  onProgress?: ((progress: DistilProgress) => void) | undefined;
}

/** Options of `follow`. */
export interface DistilFollowOptions extends DistilRunOptions {
  /** Time between two looks at the versions of the inputs, ms. @default {1_000} */
  intervalMs?: number | undefined;
  /** Called with an error after which it is tried again, e.g. while another runner has the lease. */
  onRetry?: ((error: Error) => void) | undefined;
}

/** Versions of an input. */
export interface VersionStep {
  /** Version that was worked off before; 0 if everything was computed. */
  from: bigint;
  /** Version that is worked off now. */
  to: bigint;
}

/** Result of a run. */
export interface DistilResult {
  /** Name of the definition. */
  name: string;
  /** True if there was nothing to do. */
  current: boolean;
  /** True if everything was computed: the first time, or after the definition changed. */
  full: boolean;
  /** Versions of each input. */
  inputs: Record<string, VersionStep>;
  /** Ranges that were computed. */
  ranges: number;
  /** Ranges among them that were computed because another program had changed the outputs. */
  repaired: number;
  /** Points of inputs read. */
  read: number;
  /** Points inserted into outputs. */
  written: number;
  /** Points deleted from outputs. */
  deleted: number;
  /** Points of outputs read to compare them with what was computed or written. */
  compared: number;
  /** Points that were computed with the value NaN, and left out. */
  leftOut: number;
}

/** Options that are all there. */
export interface RunRules {
  flush: boolean;
  maxPoints: number;
  leaseMs: number;
  onProgress: (progress: DistilProgress) => void;
}

/** Checks the options of a run. @throws {TypeError | RangeError} Naming the one that is wrong. */
export function rulesOf(action: string, options: DistilRunOptions): RunRules {
  checkOptions(action, options);
  const { flush = true, maxPoints = 1 << 20, leaseMs = 30_000, onProgress = () => {} } = options;
  if (positiveInteger(action, maxPoints, "maxPoints") < 1000) {
    throw outOfRange(`Cannot ${action}: maxPoints is ${maxPoints}, expected at least 1000`);
  }
  if (!Number.isSafeInteger(leaseMs) || leaseMs < 1000 || leaseMs > MAX_LEASE_MS) {
    throw outOfRange(
      `Cannot ${action}: leaseMs is ${
        describe(leaseMs)
      }, expected an integer from 1000 to ${MAX_LEASE_MS}`,
    );
  }
  return { flush, maxPoints, leaseMs, onProgress };
}

/** Checks the interval of `follow`. */
export function intervalOf(action: string, { intervalMs = 1000 }: DistilFollowOptions): number {
  if (positiveInteger(action, intervalMs, "intervalMs") > MAX_TIMER_MS) {
    throw outOfRange(
      `Cannot ${action}: intervalMs is ${intervalMs}, expected at most ${MAX_TIMER_MS}`,
    );
  }
  return intervalMs;
}
