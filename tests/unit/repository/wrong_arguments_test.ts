/**
 * Every public function and method, called with arguments of the wrong type: what comes out is an
 * error that names the argument, never one of the JavaScript engine, and nothing is changed before.
 */

import { assertEquals } from "@std/assert";
import * as main from "@btrdb/btrdb";
import * as arrow from "@btrdb/btrdb/arrow";
import * as c37118 from "@btrdb/btrdb/c37118";
import * as comtrade from "@btrdb/btrdb/comtrade";
import * as distil from "@btrdb/btrdb/distil";
import * as ingest from "@btrdb/btrdb/ingest";
import * as kernel from "@btrdb/btrdb/kernel";
import * as parquet from "@btrdb/btrdb/parquet";
import * as phasor from "@btrdb/btrdb/phasor";
import * as server from "@btrdb/btrdb/server";
import * as web from "@btrdb/btrdb/web";
import config from "../../../deno.json" with { type: "json" };
import * as cli from "../../../src/cli/main.ts";

type Call = (...args: unknown[]) => unknown;

const ENTRIES = {
  ".": main,
  arrow,
  c37118,
  cli,
  comtrade,
  distil,
  ingest,
  kernel,
  parquet,
  phasor,
  server,
  web,
};

/** A text that is a path too, for calls that write files: in a folder that is not there. */
const TEXT = "no-such-folder/x";

const WRONG: readonly unknown[] = [
  ...[undefined, null, 5, 5n, TEXT, {}, [], true, [undefined], [null]],
  ...[Symbol("s"), [Symbol("s")], new Date(0), () => {}, Object.create(null), Number.NaN],
];

/** Arguments that are right for some functions: the wrong one comes behind them. */
const BEFORE: readonly unknown[] = [
  undefined,
  [],
  { times: BigInt64Array.of(1n), values: Float64Array.of(1) },
  Float64Array.of(1),
  Uint8Array.of(1),
];

/** Classes whose constructors are not public. */
const MADE_BY_US =
  /^(BTrDB|RawBatch|StatBatch|Stream|Server|ParquetInput|CaptureSource|ComtradeRecord|PmuConnection|SimulatedPmu|.*Query)$/;

/** Texts of errors that no check of ours has thrown. */
const NATIVE =
  /Cannot (read propert|convert|mix|destructure|use 'in'|set propert|create propert)|is not (a function|iterable|async iterable|a constructor|an object)|Right-hand side|Maximum call stack|Invalid array length|Receiver must/;

/** Time for an answer of a call that is right by chance and waits for something, ms. */
const WAIT_MS = 50;

function shown(args: readonly unknown[]): string {
  return args.map((arg) => Deno.inspect(arg)).join(", ");
}

async function within(answer: unknown): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) =>
    timer = setTimeout(() => resolve(undefined), WAIT_MS)
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error of a call and of the first read of what it gives. */
async function errorOf(call: () => unknown): Promise<Error | undefined> {
  try {
    const answer = await within(call()) as
      | (AsyncIterable<unknown> & { close?: () => Promise<void> })
      | undefined;
    if (typeof answer?.[Symbol.asyncIterator] === "function") {
      const iterator = answer[Symbol.asyncIterator]();
      await within(iterator.next());
      await within(iterator.return?.());
    }
    const sequence = answer as Iterable<unknown> | undefined;
    if (typeof sequence?.[Symbol.iterator] === "function") sequence[Symbol.iterator]().next();
    if (typeof answer?.close === "function") await answer.close();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

function isNative(error: Error | undefined): error is Error {
  return error !== undefined && !(error instanceof main.BTrDBError) && NATIVE.test(error.message);
}

Deno.test("wrong arguments: every entry is looked at", () => {
  const entries = Object.keys(config.exports).map((name) => name.replace(/^\.\//, ""));
  assertEquals(Object.keys(ENTRIES).toSorted(), entries.toSorted());
});

for (const [entry, names] of Object.entries(ENTRIES)) {
  Deno.test({
    name: `wrong arguments: functions of ${entry} name them`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      const found: string[] = [];
      for (const [name, member] of Object.entries(names)) {
        if (typeof member !== "function" || MADE_BY_US.test(name)) continue;
        const isClass = /^class\b/.test(Function.prototype.toString.call(member));
        if (isClass && member.prototype instanceof Error) continue;
        for (let before = 0; before <= Math.min(3, member.length); before++) {
          for (const [wrong, filler] of WRONG.flatMap((w) => BEFORE.map((b) => [w, b]))) {
            const args = [...new Array(before).fill(filler), wrong];
            const error = await errorOf(() =>
              isClass
                ? new (member as new (...args: unknown[]) => unknown)(...args)
                : (member as Call)(...args)
            );
            if (isNative(error)) found.push(`${name}(${shown(args)}): ${error.message}`);
          }
        }
      }
      assertEquals(found, []);
    },
  });
}

Deno.test({
  name: "wrong arguments: methods name them, and change nothing before",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using db = await main.connect("memory:");
    const stream = await db.create(crypto.randomUUID(), "demo", { tags: { name: "a" } });
    await stream.insert([[1n, 1], [2n, 2]]);
    const objects = {
      db,
      stream,
      set: new main.StreamSet([stream]),
      query: stream.rawValues(0n, 10n),
    };
    /** Arguments that are right for some methods: the wrong one comes behind them. */
    const right: readonly (readonly unknown[])[] = [
      [],
      [0n],
      [0n, 10n],
      [0n, 10n, 5n],
      [[]],
      [{}],
      ["demo"],
      ["demo", {}],
      [crypto.randomUUID(), "other"],
    ];
    const found: string[] = [];
    const state = async () =>
      [await stream.fullVersion(), await stream.annotations(), await stream.tags()] as const;
    for (const [object, value] of Object.entries(objects)) {
      const methods = Object.getPrototypeOf(value);
      for (const name of Object.getOwnPropertyNames(methods)) {
        const method = Object.getOwnPropertyDescriptor(methods, name)!.value;
        if (typeof method !== "function") continue;
        if (["constructor", "close", "obliterate"].includes(name)) continue;
        for (const before of right) {
          for (const wrong of WRONG) {
            const args = [...before, wrong];
            const was = await state();
            const error = await errorOf(() => (method as Call).apply(value, args));
            const call = `${object}.${name}(${shown(args)})`;
            if (isNative(error)) found.push(`${call}: ${error.message}`);
            if (error !== undefined) assertEquals(await state(), was, call);
          }
        }
      }
    }
    assertEquals(found, []);
  },
});
