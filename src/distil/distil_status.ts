/**
 * State of derived streams, for people and programs.
 *
 * @module
 */

import type { Lease, LedgerState } from "./ledger_state.ts";

/** State of derived streams. */
export interface DistilStatus {
  /** Name of the definition. */
  name: string;
  /**
   * `"new"`: never run; `"current"`: nothing to do; `"behind"`: inputs or outputs have changed;
   * `"unfinished"`: a run is under way or was interrupted; `"changed"`: the definition is another one
   * than that of the last run.
   */
  state: "new" | "current" | "behind" | "unfinished" | "changed";
  /** Version of the code of the last run; `null` if there was none. */
  version: string | null;
  /** Runner that may write, and the end of its lease, UTC; `null` if none runs. */
  lease: { owner: string; expires: Date } | null;
  /** Time before which an unfinished run is done, ns since the Unix epoch, UTC; else `null`. */
  at: bigint | null;
  /** Inputs of the last run. */
  inputs: {
    name: string;
    uuid: string;
    /** Version that the outputs are made from; 0 if none. */
    done: bigint;
    /** Latest committed version; `null` if it is not an input any more. */
    latest: bigint | null;
    /** Points in the write buffer. */
    buffered: bigint;
  }[];
  /** Outputs of the last run. */
  outputs: { name: string; uuid: string; version: bigint }[];
}

/** Puts a status together. */
export function statusOf(
  name: string,
  state: LedgerState | undefined,
  lease: Lease | undefined,
  present: { inputs: readonly bigint[]; buffered: readonly bigint[] } | undefined,
  word: DistilStatus["state"],
): DistilStatus {
  const isHeld = lease !== undefined && lease.expiresMs > Date.now();
  const isKnown = word !== "changed" && word !== "new";
  return {
    name,
    state: word,
    version: state?.version ?? null,
    lease: isHeld ? { owner: lease.owner, expires: new Date(lease.expiresMs) } : null,
    at: state?.at ?? null,
    inputs: (state?.inputs ?? []).map(({ name, uuid, done }, i) => ({
      name,
      uuid,
      done,
      latest: isKnown ? present?.inputs[i] ?? null : null,
      buffered: isKnown ? present?.buffered[i] ?? 0n : 0n,
    })),
    outputs: (state?.outputs ?? []).map(({ name, uuid, version }) => ({ name, uuid, version })),
  };
}
