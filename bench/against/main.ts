// deno-lint-ignore-file no-console -- a command line tool
/**
 * Measures this checkout against another one, in turns:
 *
 *     deno task bench:against CHECKOUT [embedded | serve] [ROUNDS] [CASE…]
 *
 * Each checkout has a process with a file of its own, or a server and a client. In each round both do
 * one slice of work, and take turns in who begins. The ratios are this checkout's times to the other's:
 * that of the sums, and the median of those of the rounds, which one disturbed slice does not change.
 * V8 compiles the same code otherwise in each process, which makes several percent: all are started
 * anew a few times. The range of the ratios of these pairs tells how far the ratio is noise, as does a
 * checkout against itself.
 *
 * @module
 */

import { loadavg } from "node:os";
import { resolve } from "node:path";
import { type Case, CASES, type Place } from "./cases.ts";
import { Checkout, type Slice } from "./checkout.ts";

/** Work before the measured slices, ms: code is compiled, and then compiled better. */
const WARM_UP_MS = 1_500;
/** Pairs of processes that share the rounds. */
const PAIRS = 5;
const ROUNDS = 40;
const HERE = new URL("../../", import.meta.url).pathname;

interface Options {
  readonly other: string;
  readonly place: Place;
  readonly rounds: number;
  readonly cases: readonly Case[];
}

function readArguments([other, ...rest]: readonly string[]): Options {
  if (other === undefined) throw new Error("Name the folder of another checkout");
  const isPlace = (word: string) => word === "embedded" || word === "serve";
  const isCount = (word: string) => /^[1-9]\d*$/.test(word);
  const names = rest.filter((word) => !isPlace(word) && !isCount(word));
  const cases = CASES.filter(({ name }) => names.length === 0 || names.includes(name));
  const unknown = names.filter((name) => !CASES.some((one) => one.name === name));
  if (unknown.length > 0) {
    throw new Error(`No case is called ${unknown}, there are: ${CASES.map(({ name }) => name)}`);
  }
  return {
    other: resolve(other),
    place: rest.find(isPlace) as Place | undefined ?? "embedded",
    rounds: Number(rest.find(isCount) ?? ROUNDS),
    cases,
  };
}

/** A slice of both checkouts. */
type Pair = readonly [ours: Slice, theirs: Slice];

async function pairOf(one: Case, here: Checkout, there: Checkout, isOurTurn: boolean) {
  if (isOurTurn) return [await here.run(one), await there.run(one)] as const;
  const theirs = await there.run(one);
  return [await here.run(one), theirs] as const;
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Ratio of the sums of slices. */
function ratioOf(pairs: readonly Pair[], key: keyof Slice): number {
  const sum = (side: 0 | 1) => pairs.reduce((total, pair) => total + pair[side][key], 0);
  return sum(0) / sum(1);
}

/** Ratio of the sums, the median of those of the rounds, and the range of those of the processes. */
function compared(runs: readonly Pair[][], key: keyof Slice): string {
  const pairs = runs.flat();
  const middle = median(pairs.map(([ours, theirs]) => ours[key] / theirs[key]));
  const ofRuns = runs.map((run) => ratioOf(run, key));
  const range = [Math.min(...ofRuns), Math.max(...ofRuns)].map((ratio) => ratio.toFixed(2));
  const ms = median(pairs.map(([ours]) => ours[key]));
  return `${ratioOf(pairs, key).toFixed(3)} (median ${middle.toFixed(3)}, ${range.join(" to ")}, ` +
    `${ms.toFixed(1)} ms)`;
}

/** Runs some rounds of all cases in new processes. */
async function runPair({ other, place, cases }: Options, rounds: number): Promise<Pair[][]> {
  await using here = await Checkout.open(resolve(HERE), place);
  await using there = await Checkout.open(other, place);
  const results: Pair[][] = [];
  for (const one of cases) {
    for (let ms = 0; ms < WARM_UP_MS;) ms += (await pairOf(one, here, there, true))[0].wallMs;
    const pairs: Pair[] = [];
    for (let i = 0; i < rounds; i++) pairs.push(await pairOf(one, here, there, i % 2 === 0));
    results.push(pairs);
  }
  return results;
}

const load = () => loadavg()[0]!.toFixed(1);
const options = readArguments(Deno.args);
const { place, cases } = options;
const rounds = Math.ceil(options.rounds / PAIRS);
console.log(
  `${place}, ${rounds} rounds in each of ${PAIRS} pairs of processes, load ${load()}; ratio of sums ` +
    "(median of the rounds, range of the pairs, median of our slices)",
);
const runs: Pair[][][] = [];
for (let i = 0; i < PAIRS; i++) runs.push(await runPair(options, rounds));
for (const [i, { name }] of cases.entries()) {
  const ofCase = runs.map((run) => run[i]!);
  const words = place === "serve"
    ? [`CPU of the server ${compared(ofCase, "serverMs")}`, `of the client`]
    : ["CPU"];
  console.log(`${name}: ${words.join(", ")} ${compared(ofCase, "cpuMs")}`);
  console.log(`${" ".repeat(name.length)}  wall ${compared(ofCase, "wallMs")}`);
}
console.log(`load ${load()}`);
