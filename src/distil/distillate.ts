/**
 * Derived streams of a database.
 *
 * @module
 */

import { checkDatabase } from "../client/check_database.ts";
import type { BTrDB } from "../client/btrdb.ts";
import { endpointOf } from "../client/endpoint_of.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";
import { delay } from "../core/call.ts";
import { mapConcurrently } from "../core/concurrency.ts";
import { BTrDBError } from "../core/errors.ts";
import { remainingOf, type RequestOptions } from "../core/request_options.ts";
import { checkDefinition, type DistilDefinition } from "./definition.ts";
import { isGone } from "./committed_version.ts";
import { isCurrent, isStateOf, type Parts, presentOf } from "./distil_plan.ts";
import { DistilRun } from "./distil_run.ts";
import { type DistilStatus, statusOf } from "./distil_status.ts";
import { Ledger, type Left } from "./ledger.ts";
import { leaseOf } from "./ledger_state.ts";
import { resolveInputs, resolveOutputs } from "./resolve_streams.ts";
import {
  type DistilFollowOptions,
  type DistilResult,
  type DistilRunOptions,
  intervalOf,
  rulesOf,
  type RunRules,
} from "./run_options.ts";

/** Streams looked at at the same time. */
const AT_ONCE = 8;

/**
 * Derived streams: outputs that are computed from inputs and kept up to date, made by
 * {@linkcode distil}.
 *
 * @example A late point is worked in
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { distil } from "@btrdb/btrdb/distil";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const volts = await db.create(crypto.randomUUID(), "pmu", { tags: { name: "volts" } });
 * await volts.insert([[1n, 100], [3n, 300]]);
 * const kilovolts = distil(db, {
 *   name: "kilovolts",
 *   version: "1",
 *   inputs: { volts },
 *   outputs: { kilovolts: { path: "derived/kilovolts", unit: "kV" } },
 *   compute: ({ inputs: { volts: { times, values } } }) => ({
 *     kilovolts: { times, values: values.map((value) => value / 1000) },
 *   }),
 * });
 * assertEquals((await kilovolts.run()).written, 2);
 * await volts.insert([[2n, 200]]);
 * assertEquals((await kilovolts.run()).written, 1);
 * assertEquals((await kilovolts.status()).state, "current");
 * ```
 */
export class Distillate {
  /** Name of the definition. */
  readonly name: string;
  readonly #db: BTrDB;
  readonly #definition: DistilDefinition;
  readonly #owner: string;
  readonly #stale: boolean;
  #verified = false;
  #running = false;
  #streams: Streams | undefined;

  /** @ignore Made by `distil`. */
  constructor(db: BTrDB, definition: DistilDefinition) {
    checkDatabase("distil", db);
    checkDefinition(definition);
    this.#db = db;
    this.#definition = { ...definition };
    this.name = definition.name;
    this.#owner = crypto.randomUUID().slice(0, 13);
    this.#stale = endpointOf(db).capabilities.protocol === "v4";
  }

  /**
   * Brings the outputs up to date, and makes those that do not exist. It reads and writes only what
   * the changes of the inputs reach; the first time, and when the definition has changed, that is
   * everything.
   *
   * It may fail or be killed anywhere: the next run does what is left, and the outputs are then what
   * they would be had everything been computed at once. Finished parts of a long run are kept.
   *
   * @throws {BTrDBError} 404 if an input does not exist, 446 if an output belongs to another
   * definition, `LEASED` (retryable) while another runner is at it, `LEASE_LOST` (retryable) if one
   * took over, `FOREIGN_POINTS` if another program keeps writing into the outputs.
   * @throws {Error} If `compute` throws, or returns what it must not; outputs and notes stay as they
   * were at the last part that was finished.
   */
  async run(options: DistilRunOptions = {}): Promise<DistilResult> {
    const action = `run ${JSON.stringify(this.name)}`;
    const rules = rulesOf(action, options);
    if (this.#running) throw invalidType(`Cannot ${action}: it is running already`);
    this.#running = true;
    const left = leftOf(action, options);
    try {
      const known = this.#streams;
      try {
        return await this.#run(rules, left, options.signal);
      } catch (error) {
        // A stream that was known is gone, and perhaps there is another one of its name.
        if (known === undefined || !isGone(error)) throw error;
        this.#streams = undefined;
        return await this.#run(rules, left, options.signal);
      }
    } finally {
      this.#running = false;
    }
  }

  async #run(
    rules: RunRules,
    left: Left,
    signal: AbortSignal | undefined,
  ): Promise<DistilResult> {
    const parts = (await this.#parts(rules.flush, true, left))!;
    const ledger = this.#ledger(parts, rules.leaseMs);
    const result = await new DistilRun(parts, ledger, rules, signal, this.#verified).run();
    this.#verified = true;
    return result;
  }

  /**
   * Keeps the outputs up to date until the loop is left or `signal` is aborted: looks at the versions
   * of the inputs every `intervalMs`, and runs when one has changed. Failures after which the same
   * may succeed later are tried again, also while another runner has the lease.
   *
   * @returns The result of each run that did something.
   * @throws As `run`, and the reason of the signal.
   *
   * @example Until the first run is over
   * ```ts
   * import { connect } from "@btrdb/btrdb";
   * import { distil } from "@btrdb/btrdb/distil";
   * import { assertEquals } from "@std/assert";
   *
   * await using db = await connect("memory:");
   * const input = await db.create(crypto.randomUUID(), "demo");
   * await input.insert([[1n, 1], [2n, 2]]);
   * const squares = distil(db, {
   *   name: "squares",
   *   version: "1",
   *   inputs: { input },
   *   outputs: { square: "derived/square" },
   *   compute: ({ inputs: { input: { times, values } } }) => ({
   *     square: { times, values: values.map((value) => value * value) },
   *   }),
   * });
   * for await (const { written } of squares.follow()) {
   *   assertEquals(written, 2);
   *   break;
   * }
   * ```
   */
  follow(options: DistilFollowOptions = {}): AsyncIterableIterator<DistilResult> {
    const action = `follow ${JSON.stringify(this.name)}`;
    rulesOf(action, options);
    return this.#follow(intervalOf(action, options), options);
  }

  /** Tells how far the outputs are, without changing anything. */
  async status(options: RequestOptions = {}): Promise<DistilStatus> {
    const left = leftOf(`look at ${JSON.stringify(this.name)}`, options);
    const parts = await this.#parts(false, false, left);
    if (parts === undefined) return statusOf(this.name, undefined, undefined, undefined, "new");
    const ledger = this.#ledger(parts, 1);
    const state = await ledger.read();
    const present = await presentOf({ ...parts, rules: { ...parts.rules, flush: false } }, false);
    const buffered = await mapConcurrently(
      parts.inputs,
      AT_ONCE,
      async ({ stream }) => (await stream.fullVersion(left())).minor,
    );
    const word = state === undefined
      ? "new"
      : !isStateOf(state, parts)
      ? "changed"
      : isCurrent(state, present) && buffered.every((points) => points === 0n)
      ? "current"
      : state.at === undefined
      ? "behind"
      : "unfinished";
    return statusOf(this.name, state, leaseOf(ledger.annotations), { ...present, buffered }, word);
  }

  async *#follow(
    intervalMs: number,
    options: DistilFollowOptions,
  ): AsyncGenerator<DistilResult, void, void> {
    const { signal, onRetry } = options;
    for (;;) {
      try {
        const result = await this.run(options);
        if (!result.current) yield result;
      } catch (error) {
        if (!(error instanceof BTrDBError && error.retryable)) throw error;
        onRetry?.(error);
      }
      await delay(intervalMs, { signal });
    }
  }

  #ledger({ outputs, left }: Parts, leaseMs: number): Ledger {
    return new Ledger(outputs[0]!.stream, this.name, this.#owner, leaseMs, left);
  }

  /** The streams and how to use them; absent if an output does not exist and is not made. */
  async #parts(flush: boolean, create: boolean, left: Left): Promise<Parts | undefined> {
    this.#streams ??= await this.#resolved(create, left);
    if (this.#streams === undefined) return undefined;
    const rules = { flush, stale: this.#stale };
    return { db: this.#db, definition: this.#definition, ...this.#streams, rules, left };
  }

  async #resolved(create: boolean, left: Left): Promise<Streams | undefined> {
    const definition = this.#definition;
    const inputs = await resolveInputs(this.#db, definition.inputs, left());
    const outputs = await resolveOutputs(this.#db, definition.outputs, create, left());
    if (outputs === undefined) return undefined;
    const taken = new Map(inputs.map(({ name, stream }) => [stream.uuid, `inputs.${name}`]));
    for (const { name, stream: { uuid } } of outputs) {
      const other = taken.get(uuid);
      if (other !== undefined) {
        throw outOfRange(
          `Cannot distil: outputs.${name} is ${uuid} as ${other} is, expected another stream`,
        );
      }
      taken.set(uuid, `outputs.${name}`);
    }
    return { inputs, outputs };
  }
}

/** Streams of a definition, found once. */
type Streams = Pick<Parts, "inputs" | "outputs">;

/** Options of the requests of a call, which share its timeout. */
function leftOf(action: string, { signal, timeoutMs }: RequestOptions): Left {
  return remainingOf<RequestOptions>(action, { signal, timeoutMs });
}

/**
 * Derived streams: outputs computed from inputs, incrementally and exactly.
 *
 * Nothing is read or written before {@linkcode Distillate.run} or {@linkcode Distillate.follow}. The
 * versions worked off are kept with the outputs, as annotations of the first one.
 *
 * @param db Database of the inputs and outputs.
 * @param definition Streams, reach and function.
 * @throws {TypeError | RangeError} If a part of the definition is wrong.
 *
 * @example The angle between two buses
 * ```ts
 * import { connect } from "@btrdb/btrdb";
 * import { distil } from "@btrdb/btrdb/distil";
 * import { angleDifference } from "@btrdb/btrdb/phasor";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const west = await db.create(crypto.randomUUID(), "pmu", { tags: { name: "west" } });
 * const east = await db.create(crypto.randomUUID(), "pmu", { tags: { name: "east" } });
 * await west.insert([[1n, 10], [2n, 20], [3n, 30]]);
 * await east.insert([[1n, 40], [3n, -170]]);
 * await distil(db, {
 *   name: "west to east",
 *   version: "1",
 *   inputs: { west: "pmu/west", east: "pmu/east" },
 *   outputs: { difference: "derived/west-east" },
 *   // Where one of them has no point its value is NaN, and so is the difference: no point.
 *   compute: (range) => {
 *     const { times, values: { west, east } } = range.rows();
 *     return { difference: { times, values: angleDifference(east, west) } };
 *   },
 * }).run();
 * const [difference] = await Array.fromAsync(db.lookupStreams("derived"));
 * const { values } = await difference!.rawValues(0n, 10n).collect();
 * assertEquals([...values], [30, 160]);
 * ```
 */
export function distil<I extends string, O extends string>(
  db: BTrDB,
  definition: DistilDefinition<I, O>,
): Distillate {
  return new Distillate(db, definition as unknown as DistilDefinition);
}
