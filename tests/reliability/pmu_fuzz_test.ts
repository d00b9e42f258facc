/**
 * A PMU that sends frames changed at random, some of them with a checksum that fits, in pieces of any length: every connection ends, with
 * frames that it had or with an error, and the next one works. For ten minutes, from any seed:
 *
 *     FUZZ_MINUTES=10 FUZZ_SEED=1 deno test -A tests/reliability/pmu_fuzz_test.ts
 */

import { assert } from "@std/assert";
import { createServer, type Socket } from "node:net";
import {
  connectPmu,
  encodeConfiguration,
  encodeValues,
  simulatedConfiguration,
  simulatedValues,
} from "../../src/ingest/c37118/mod.ts";
import { DataLayout } from "../../src/ingest/c37118/data_layout.ts";
import { damaged, fuzzing } from "../support/fuzzing.ts";
import { changedFrame, damagedFrame, isDataFrame } from "../support/sealed_damage.ts";
import type { Random } from "../support/random.ts";
import { HANG_MS } from "../support/until.ts";

const SOC = 1_772_323_200;
const FRAMES = 30;
const CONFIGURATION = simulatedConfiguration({ id: 7, rate: FRAMES });
const LAYOUT = new DataLayout(CONFIGURATION);
const STAMP = { soc: SOC, fraction: 0 };
const DATA = Array.from({ length: FRAMES }, (_, tick) => {
  const values = simulatedValues(CONFIGURATION, SOC, tick, 7);
  return encodeValues(LAYOUT, values, { soc: SOC, fraction: Math.round(tick * 1e6 / FRAMES) });
});

/** A frame changed, with a checksum that fits; the time of data is what it was. */
function sealed(frame: Uint8Array, random: Random): Uint8Array {
  return isDataFrame(frame) ? changedFrame(frame, random) : damagedFrame(frame, random);
}

/** Some of the frames changed, left out or doubled. */
function changed(frames: readonly Uint8Array[], random: Random): Uint8Array[] {
  const all = [...frames];
  for (let i = random.int(0, 3); i > 0; i--) {
    const at = random.int(0, all.length - 1);
    all[at] = random.chance(0.5) ? damaged(all[at]!, random) : sealed(all[at]!, random);
  }
  if (random.chance(0.2)) all.splice(random.int(0, all.length - 1), random.int(1, 5));
  if (random.chance(0.2)) all.unshift(damaged(random.pick(DATA), random));
  return all;
}

function send(socket: Socket, frames: readonly Uint8Array[], random: Random): void {
  const bytes = Uint8Array.from(frames.flatMap((frame) => [...frame]));
  for (let at = 0; at < bytes.length;) {
    const length = random.int(1, random.pick([3, 100, 5000]));
    socket.write(bytes.subarray(at, at + length));
    at += length;
  }
}

/** Commands of the other side. */
const DATA_ON = 2;
const CONFIGURATION_FRAMES = [4, 5, 6];
const COMMAND_BYTES = 18;

/** A connection whose configuration is changed may never be ready, ms. */
const NEVER_READY_MS = 200;

/** Answers the commands of a connection, and ends it after the data. */
function serveSession(socket: Socket, random: Random, isWhole: boolean): void {
  const configuration = encodeConfiguration(CONFIGURATION, STAMP, random.pick([65_535, 200]));
  socket.on("error", () => {});
  socket.on("data", (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + COMMAND_BYTES <= bytes.length; at += COMMAND_BYTES) {
      const command = view.getUint16(at + 14);
      if (CONFIGURATION_FRAMES.includes(command)) {
        send(socket, isWhole ? configuration : changed(configuration, random), random);
        if (!isWhole && random.chance(0.3)) socket.end();
      } else if (command === DATA_ON) {
        send(socket, changed(DATA, random), random);
        socket.end();
      }
    }
  });
}

Deno.test("connectPmu: frames changed at random are left out, and every connection ends", async () => {
  let random: Random | undefined;
  let isWhole = true;
  const server = createServer((socket) => serveSession(socket, random!, isWhole));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as { port: number };
  const times = new Set(
    DATA.map((_, tick) =>
      BigInt(SOC) * 1_000_000_000n + (BigInt(tick) * 2_000_000_000n + 30n) / 60n
    ),
  );
  let taken = 0;
  let strange = 0;
  try {
    for (const numbers of fuzzing("PMU", 60)) {
      random = numbers;
      isWhole = numbers.chance(0.5);
      const timeoutMs = isWhole ? HANG_MS : NEVER_READY_MS;
      const signal = AbortSignal.timeout(HANG_MS);
      try {
        await using pmu = await connectPmu(`127.0.0.1:${port}`, { id: 7, signal, timeoutMs });
        for await (const { time } of pmu) {
          taken++;
          // A configuration that is not what was made may have another unit of time.
          if (isWhole && !times.has(time)) strange++;
        }
      } catch (error) {
        assert(error instanceof Error && error.name !== "AssertionError", String(error));
        assert(!signal.aborted, "the connection did not end");
        const isBug = error instanceof TypeError || error instanceof ReferenceError;
        assert(!isBug, error.stack);
      }
    }
  } finally {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
  // Checksums have 16 bits: one of 65,536 changed frames has a right one.
  assert(
    taken > 0 && strange <= 2 + taken / 100_000,
    `${strange} of ${taken} frames were not sent`,
  );
});
