/**
 * C37.118 with programs of others: a PMU made of the Python package `pyc37` is read for a minute, and
 * `tshark` decodes what the simulated PMU sends.
 */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  connectPmu,
  DataLayout,
  encodeCommand,
  encodeConfiguration,
  encodeHeader,
  encodeValues,
  simulatedConfiguration,
  simulatedValues,
} from "../../src/ingest/c37118/mod.ts";
import { pythonWith } from "./support/cache.ts";

const SCRIPT = new URL("python/c37_pmu.py", import.meta.url).pathname;
const RATE = 30;

/** A port that is free now. */
function freePort(): number {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Reads so many frames from pyc37 in a format. */
async function readPyc37(format: number, frames: number): Promise<void> {
  const python = await pythonWith("pyc37", ["pyc37==1.0.2", "psutil"]);
  const port = freePort();
  const child = new Deno.Command(python, {
    args: [SCRIPT, String(port), String(format), String(RATE)],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.stdout.getReader();
  try {
    const { value } = await output.read();
    assertEquals(new TextDecoder().decode(value).trim().split("\n").at(-1), "ready");
    await using pmu = await connectPmu(`127.0.0.1:${port}`, { id: 7 });
    const [configuration] = pmu.configurations;
    const [station] = configuration!.stations;
    assertEquals(station!.name, "Station A");
    assertEquals(station!.phasors.map(({ name }) => name), ["VA", "VB", "I1"]);
    assertEquals(station!.phasors.map(({ scale }) => scale), [9.15527, 9.15527, 0.45776]);
    const isFloat = station!.floatPhasors;
    let [last, read] = [-1, 0];
    for await (const { stations: [data] } of pmu) {
      const scale = isFloat ? [1, 1, 1] : [9.15527, 9.15527, 0.45776];
      const want = [14_635, 0.25, 7318, -2, 1092, 1.5].map((value, i) =>
        i % 2 === 0 ? value * scale[i / 2]! : value
      );
      for (const [i, value] of data!.phasors.entries()) assertAlmostEquals(value, want[i]!, 1e-3);
      assertAlmostEquals(data!.frequency, 60.025, 1e-5);
      assertEquals([data!.rocof, data!.digitals[0]], [0, 0x3c12]);
      const count = data!.analogs[0]!;
      if (last >= 0) assertEquals(count, (last + 1) % 30_000);
      last = count;
      if (++read === frames) break;
    }
    assertEquals(read, frames);
    const { badCrc, mismatched, skippedBytes } = pmu.counts;
    assertEquals({ badCrc, mismatched, skippedBytes }, {
      badCrc: 0,
      mismatched: 0,
      skippedBytes: 0,
    });
  } finally {
    await child.stdin.close().catch(() => {});
    await output.cancel();
    await child.status;
  }
}

Deno.test("connectPmu: pyc37 as a PMU for a minute, floats", async () => {
  // It sends about ten frames a second, whatever rate it is asked for.
  await readPyc37(15, 600);
});

Deno.test("connectPmu: pyc37 as a PMU, integers", async () => {
  await readPyc37(1, 50);
});

/** Frames as datagrams in a pcap of raw IP. */
function pcap(frames: readonly Uint8Array[]): Uint8Array {
  const u16 = (n: number): number[] => [n >> 8 & 255, n & 255];
  const u32 = (n: number): number[] => [...u16(n >>> 16), ...u16(n)];
  const head = [...u32(0xa1b2c3d4), ...u16(2), ...u16(4), ...u32(0), ...u32(0), ...u32(65_535)];
  const records = frames.flatMap((frame) => {
    const udp = [...u16(4713), ...u16(4713), ...u16(8 + frame.length), 0, 0, ...frame];
    const ip = [0x45, 0, ...u16(20 + udp.length), 0, 1, 0, 0, 64, 17, 0, 0];
    const bytes = [...ip, 10, 0, 0, 1, 10, 0, 0, 2, ...udp];
    return [...u32(0), ...u32(0), ...u32(bytes.length), ...u32(bytes.length), ...bytes];
  });
  return Uint8Array.from([...head, ...u32(101), ...records]);
}

Deno.test("simulatePmu: tshark decodes the frames of all formats without a complaint", async () => {
  const stamp = { soc: 1_700_000_000, fraction: 500_000 };
  const frames: Uint8Array[] = [];
  const want: number[] = [];
  for (const kind of [2, 3] as const) {
    for (let format = 0; format < 16; format++) {
      const id = 100 * kind + format;
      const configuration = simulatedConfiguration({ id, format, kind, analogs: 2 });
      frames.push(...encodeConfiguration(configuration, stamp));
      const values = simulatedValues(configuration, stamp.soc, 30, 1);
      frames.push(encodeValues(new DataLayout(configuration), values, stamp));
      const { polar } = configuration.stations[0]!;
      want.push(polar ? values[1]! : Math.hypot(values[1]!, values[2]!));
      frames.push(encodeCommand(id, "start", stamp), encodeHeader(id, "text", stamp));
    }
  }
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${folder}/frames.pcap`, pcap(frames));
    const args = ["-r", `${folder}/frames.pcap`, "-d", "udp.port==4713,synphasor", "-V"];
    let output: Deno.CommandOutput;
    try {
      output = await new Deno.Command("tshark", { args: [...args, "-O", "synphasor"] }).output();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      console.warn("skipped, tshark is absent");
      return;
    }
    const text = new TextDecoder().decode(output.stdout);
    const decoded = text.split(/^Frame \d+:/m).slice(1);
    assertEquals(decoded.length, frames.length);
    for (const frame of decoded) {
      assert(
        !/malformed|expert info|incorrect|not valid|missing|error/i.test(complaints(frame)),
        frame,
      );
      assert(frame.includes("[correct]"), frame);
    }
    const magnitudes = [...text.matchAll(/Phasor #1: .*?, +(-?[\d.]+)[VA] ∠/g)]
      .map(([, value]) => Number(value));
    assertEquals(magnitudes.length, want.length);
    for (const [i, value] of magnitudes.entries()) assertAlmostEquals(value, want[i]!, 6);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** A decoded frame without the names of flags that contain the words looked for. */
function complaints(text: string): string {
  return text.split("\n").filter((line) => !/= (?:Data error|.*)|Time quality|PHASOR/i.test(line))
    .join("\n");
}
