/**
 * One run: brings derived streams up to date.
 *
 * The order of its steps makes it safe to end anywhere. An output is read back before anything is
 * noted about it, and the note names the version that was read. Whatever comes later, of a run that
 * was killed, of a paused runner that writes late, of another program, is a change that the next run
 * finds and computes anew.
 *
 * @module
 */

import type { Stream } from "../client/stream.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { BTrDBError } from "../core/errors.ts";
import type { RawColumns } from "../core/columns.ts";
import { formatTime } from "../core/time.ts";
import { markOf } from "./committed_version.ts";
import { computeRange } from "./compute_range.ts";
import { claimOutputs } from "./claim_outputs.ts";
import type { Ledger } from "./ledger.ts";
import type { Lease, LedgerState } from "./ledger_state.ts";
import { ForeignPoints, OutputWriter } from "./output_writer.ts";
import {
  isComparable,
  isCurrent,
  isStateOf,
  jobOf,
  type Parts,
  type Present,
  presentOf,
  rangesToCompute,
  rangesToRepair,
  wholeJob,
} from "./distil_plan.ts";
import { before, type CappedRead, readCapped } from "./read_capped.ts";
import type { DistilResult, RunRules } from "./run_options.ts";
import { EVERYTHING, from, lengthOf, type TimeRange } from "./time_ranges.ts";

/** Streams read at the same time. */
const AT_ONCE = 8;
/** Runs begun anew because another program wrote into the outputs at the same time. */
const MAX_ATTEMPTS = 4;
/** Room for points where lookback and lookahead hold many, as a multiple of the usual one. */
const MAX_ROOM = 16;

/** One run. */
export class DistilRun {
  readonly #parts: Parts;
  readonly #ledger: Ledger;
  readonly #rules: RunRules;
  readonly #signal: AbortSignal | undefined;
  readonly #result: DistilResult;
  readonly #verified: boolean;

  /**
   * @param verified True if the versions noted are known to be of this database.
   */
  constructor(
    parts: Parts,
    ledger: Ledger,
    rules: RunRules,
    signal: AbortSignal | undefined,
    verified: boolean,
  ) {
    this.#parts = parts;
    this.#ledger = ledger;
    this.#rules = rules;
    this.#signal = signal;
    this.#verified = verified;
    this.#result = {
      name: parts.definition.name,
      current: false,
      full: false,
      inputs: {},
      ranges: 0,
      repaired: 0,
      read: 0,
      written: 0,
      deleted: 0,
      compared: 0,
      leftOut: 0,
    };
  }

  /** Does what is to be done. @throws {BTrDBError} `LEASED` if another runner is at it. */
  async run(): Promise<DistilResult> {
    const state = await this.#ledger.read();
    if (state !== undefined && isStateOf(state, this.#parts)) {
      const present = await presentOf(this.#parts);
      const isKnown = this.#verified || await isComparable(state, present, this.#parts);
      if (isKnown && isCurrent(state, present)) {
        return { ...this.#result, current: true, inputs: stepsOf(state) };
      }
    }
    const other = await this.#ledger.take();
    if (other !== undefined) throw this.#leased(other);
    try {
      await claimOutputs(this.#parts, this.#ledger);
      let attempt = 1;
      for (;;) {
        try {
          if (await this.#work()) return this.#result;
        } catch (error) {
          if (!(error instanceof ForeignPoints)) throw error;
          if (attempt++ === MAX_ATTEMPTS) throw this.#disturbed(error);
        }
      }
    } catch (error) {
      await this.#ledger.release();
      throw error;
    }
  }

  /**
   * Everything from the look at the versions to the note that they are worked off.
   *
   * @returns False if that finished a job that was interrupted, and the inputs have changed since.
   */
  async #work(): Promise<boolean> {
    const present = await presentOf(this.#parts);
    const known = this.#ledger.state;
    const goesOn = known !== undefined && isStateOf(known, this.#parts) &&
      await isComparable(known, present, this.#parts);
    let state = goesOn ? await jobOf(known, present, this.#parts) : wholeJob(this.#parts, present);
    if (!goesOn) await this.#ledger.note(state);
    this.#note(state);

    const damaged = await rangesToRepair(state, present, this.#parts);
    const writers = this.#writers(present);
    if (damaged.length > 0) {
      this.#result.repaired += damaged.length;
      await this.#compute("repair", damaged, state, writers, async () => {});
      state = withOutputs(state, writers);
      await this.#ledger.note(state);
    }
    const ranges = from(await rangesToCompute(state, this.#parts), state.at ?? EVERYTHING.start);
    this.#result.ranges += ranges.length + damaged.length;
    await this.#compute("compute", ranges, state, writers, async (at) => {
      await this.#ledger.note({ ...withOutputs(state, writers), at });
    });
    const isLatest = state.inputs.every(({ target }, i) => target === present.inputs[i]);
    const finished = await this.#finished(withOutputs(state, writers));
    if (isLatest) await this.#ledger.finish(finished);
    else await this.#ledger.note(finished);
    return isLatest;
  }

  /** Adds a job to the result. */
  #note(state: LedgerState): void {
    if (state.inputs.some(({ done }) => done === 0n)) this.#result.full = true;
    for (const [name, { from, to }] of Object.entries(stepsOf(state))) {
      this.#result.inputs[name] = { from: this.#result.inputs[name]?.from ?? from, to };
    }
  }

  #writers(present: Present): OutputWriter[] {
    const { outputs, rules, left } = this.#parts;
    return outputs.map(({ name, stream }, i) =>
      new OutputWriter({
        name,
        stream,
        base: present.outputs[i]!,
        rules,
        left,
        guard: () => this.#ledger.guard(),
        counts: this.#result,
      })
    );
  }

  /**
   * Computes ranges part by part.
   *
   * @param note Called after parts whose outputs were checked, with the time before which all is
   * done.
   */
  async #compute(
    phase: "repair" | "compute",
    ranges: readonly TimeRange[],
    state: LedgerState,
    writers: readonly OutputWriter[],
    note: (at: bigint) => Promise<void>,
  ): Promise<void> {
    const { leaseMs, maxPoints, onProgress } = this.#rules;
    const total = lengthOf(ranges);
    let done = 0n;
    let noted = Date.now();
    let unnoted = false;
    const checkpoint = async (at: bigint): Promise<void> => {
      for (const writer of writers) await writer.commit();
      await note(at);
      noted = Date.now();
      unnoted = false;
    };
    for (const range of ranges) {
      for (let at = range.start; at < range.end;) {
        const part = await this.#read({ start: at, end: range.end }, state, writers);
        const { outputs, leftOut } = await computeRange(
          this.#parts.definition,
          { start: at, end: part.end },
          part.inputs,
          this.#signal,
        );
        this.#result.leftOut += leftOut;
        for (const [i, writer] of writers.entries()) {
          await writer.replace(part.outputs[i]!, outputs[i]!);
        }
        done += part.end - at;
        at = part.end;
        unnoted = true;
        const waiting = writers.reduce((sum, { unchecked }) => sum + unchecked, 0);
        if (waiting >= maxPoints || Date.now() - noted >= leaseMs / 4) await checkpoint(at);
        const { read, written } = this.#result;
        onProgress({ phase, at, part: Number(done * 10_000n / total) / 10_000, read, written });
      }
    }
    // The last note of a job says that it is finished.
    if (unnoted) { for (const writer of writers) await writer.commit(); }
  }

  /** The points of all streams for a range, or for as much of its beginning as there is room for. */
  async #read(
    { start, end }: TimeRange,
    state: LedgerState,
    writers: readonly OutputWriter[],
  ): Promise<{ end: bigint; inputs: RawColumns[]; outputs: RawColumns[] }> {
    const { definition, inputs, left } = this.#parts;
    const { lookback = 0n, lookahead = 0n } = definition;
    const streams = inputs.length + writers.length;
    for (let room = 1;; room *= 2) {
      const most = Math.max(1, Math.floor(room * this.#rules.maxPoints / streams));
      const ins = await mapConcurrently(inputs, AT_ONCE, ({ stream }, i) => {
        const version = state.inputs[i]!.target;
        const source = { stream, version, start: start - lookback, end: end + lookahead };
        return readCapped(source, most, left());
      });
      const outs = await mapConcurrently(
        writers,
        AT_ONCE,
        ({ stream, base }) => readCapped({ stream, version: base, start, end }, most, left()),
      );
      this.#result.read += pointsOf(ins);
      this.#result.compared += pointsOf(outs);
      let until = end;
      for (const read of ins) until = least(until, read.until, lookahead);
      for (const read of outs) until = least(until, read.until, 0n);
      if (until > start) {
        return {
          end: until,
          inputs: ins.map(({ columns }) => before(columns, until + lookahead)),
          outputs: outs.map(({ columns }) => before(columns, until)),
        };
      }
      if (room === MAX_ROOM) throw this.#tooMuch(start, most);
    }
  }

  /** The state after the job. */
  async #finished(state: LedgerState): Promise<LedgerState> {
    const { inputs, outputs, left } = this.#parts;
    const mark = async (stream: Stream, version: bigint): Promise<string> =>
      await markOf(stream, version, left()) ?? "";
    return {
      ...state,
      at: undefined,
      inputs: await mapConcurrently(state.inputs, AT_ONCE, async (input, i) => ({
        ...input,
        done: input.target,
        target: 0n,
        mark: await mark(inputs[i]!.stream, input.target),
      })),
      outputs: await mapConcurrently(state.outputs, AT_ONCE, async (output, i) => ({
        ...output,
        mark: await mark(outputs[i]!.stream, output.version),
      })),
    };
  }

  #leased({ owner, expiresMs }: Lease): BTrDBError {
    return new BTrDBError(
      `Cannot run ${JSON.stringify(this.#result.name)}: runner ${owner} has the lease until ` +
        new Date(expiresMs).toISOString(),
      { status: "LEASED", retryable: true },
    );
  }

  #disturbed({ output, range }: ForeignPoints): BTrDBError {
    return new BTrDBError(
      `Cannot run ${JSON.stringify(this.#result.name)}: output ${output} holds other points than ` +
        `were written, from ${formatTime(range.start)} on; does another program write to it?`,
      { status: "FOREIGN_POINTS" },
    );
  }

  #tooMuch(at: bigint, most: number): Error {
    return new Error(
      `Cannot run ${JSON.stringify(this.#result.name)}: lookback and lookahead hold more than ` +
        `${most} points of an input at ${formatTime(at)}; shorten them or raise maxPoints, which ` +
        `is ${this.#rules.maxPoints}`,
    );
  }
}

function pointsOf(reads: readonly CappedRead[]): number {
  return reads.reduce((sum, { columns }) => sum + columns.times.length, 0);
}

function least(end: bigint, until: bigint | undefined, reach: bigint): bigint {
  return until !== undefined && until - reach < end ? until - reach : end;
}

function withOutputs(state: LedgerState, writers: readonly OutputWriter[]): LedgerState {
  const outputs = state.outputs.map((output, i) => {
    const { base } = writers[i]!;
    return base === output.version ? output : { ...output, version: base, mark: "" };
  });
  return { ...state, outputs };
}

function stepsOf({ inputs }: LedgerState): DistilResult["inputs"] {
  return Object.fromEntries(
    inputs.map(({ name, done, target }) => [
      name,
      { from: done, to: target === 0n ? done : target },
    ]),
  );
}
