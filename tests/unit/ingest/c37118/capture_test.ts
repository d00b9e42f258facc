/** Captures as sources of points: samples of other people, and made packets. */

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { exactTime, openCapture } from "../../../../src/ingest/c37118/mod.ts";
import { connect } from "../../../../mod.ts";
import { explain, ImportError, importFile } from "../../../../src/ingest/mod.ts";
import { START } from "../../../../src/ingest/source.ts";
import {
  frames,
  join,
  open,
  packet,
  pcap,
  pcapng,
  pointsOf,
  second,
  segments,
  u16,
  u32,
} from "../../../support/made_capture.ts";

const SAMPLES = new URL("../../../../../shared/samples/c37118/", import.meta.url);

/** Rows of one of Zeek's logs. */
async function zeekLog(name: string): Promise<Record<string, string>[]> {
  const file = await Deno.open(new URL(name, SAMPLES));
  const plain = name.endsWith(".gz")
    ? file.readable.pipeThrough(new DecompressionStream("gzip"))
    : file.readable;
  const text = await new Response(plain).text();
  const lines = text.split("\n");
  const fields = lines.find((line) => line.startsWith("#fields"))!.split("\t").slice(1);
  return lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
    const cells = line.split("\t");
    return Object.fromEntries(fields.map((field, i) => [field, cells[i]!]));
  });
}

const numbers = (cell: string): number[] => cell === "(empty)" ? [] : cell.split(",").map(Number);

/** Rows as text that does not depend on their order: Zeek's logs are sorted by text. */
const sorted = (rows: number[][]): string[] =>
  rows.map((row) => row.map((value) => value.toFixed(5)).join(" ")).sort();

Deno.test("openCapture: values as Zeek read them", async () => {
  for (const name of ["TCP", "UDP"]) {
    let rows: Record<string, string>[];
    try {
      rows = await zeekLog(`zeek.1PMU_${name}.data_detail.log.gz`);
    } catch {
      console.warn("skipped, the sample captures are absent");
      return;
    }
    const source = await openCapture(new URL(`C37.118_1PMU_${name}.pcap`, SAMPLES).pathname);
    const [configuration] = await zeekLog(`zeek.1PMU_${name}.cfg_detail.log`);
    const station = `${configuration!.data_source_id}_${configuration!.station_name}`;
    const phasors = configuration!.phnam!.split(",");
    const points = await pointsOf(source);
    const count = points.get(`${station}/STAT`)!.values.length;
    assertEquals(count, rows.length, name);
    const column = (stream: string): Float64Array => points.get(`${station}/${stream}`)!.values;
    const magnitudes = phasors.map((phasor, i) => column(`PH${i}MAG ${phasor}`));
    const angles = phasors.map((phasor, i) => column(`PH${i}ANG ${phasor}`));
    const ours: number[][] = [];
    for (let k = 0; k < count; k++) {
      ours.push(magnitudes.flatMap((magnitude, i) => [magnitude[k]!, angles[i]![k]!]));
    }
    const theirs = rows.map((row) => {
      const polar = numbers(row.est_polar_magnitude!);
      const angle = numbers(row.est_polar_angle!);
      const [re, im] = [
        numbers(row.est_rectangular_real!),
        numbers(row.est_rectangular_imaginary!),
      ];
      return phasors.flatMap((_, i) =>
        name === "UDP"
          ? [polar[i]!, angle[i]! * 180 / Math.PI]
          : [Math.hypot(re[i]!, im[i]!), Math.atan2(im[i]!, re[i]!) * 180 / Math.PI]
      );
    });
    // Zeek prints six digits.
    const order = (a: number[], b: number[]) => a[0]! - b[0]! || a[1]! - b[1]!;
    ours.sort(order);
    theirs.sort(order);
    for (const [k, row] of ours.entries()) {
      for (const [i, value] of row.entries()) {
        assertAlmostEquals(value, theirs[k]![i]!, 1e-4, `${name} ${k} ${i}`);
      }
    }
    assertEquals(sorted(ours).length, count);
    assert(column("FREQ").every((value) => Math.abs(value - 50) < 1));
    assertEquals(source.notices, []);
  }
});

/**
 * Data frames of a capture as tshark reads them: phasors as magnitude and degrees, and a fraction.
 */
async function tshark(path: string): Promise<{ fraction: number; phasors: [number, number][] }[]> {
  const args = ["-r", path, "-d", "udp.port==4713,synphasor", "-Y", "synphasor.frtype==0"];
  const command = new Deno.Command("tshark", {
    args: [...args, "-O", "synphasor"],
    stderr: "null",
  });
  const text = new TextDecoder().decode((await command.output()).stdout);
  return text.split(/^Frame \d+:/m).slice(1).map((frame) => ({
    fraction: Number(/Fraction of second \(raw\): (\d+)/.exec(frame)![1]),
    phasors: [...frame.matchAll(/Phasor #\d+:.*?, +(-?[\d.]+)[VA] ∠ *(-?[\d.]+)°/g)].map((
      [, magnitude, angle],
    ): [number, number] => [Number(magnitude), Number(angle)]),
  }));
}

Deno.test("openCapture: values and times as tshark reads them", async () => {
  for (const name of ["TCP", "UDP"]) {
    const path = new URL(`C37.118_1PMU_${name}.pcap`, SAMPLES).pathname;
    let theirs: Awaited<ReturnType<typeof tshark>>;
    try {
      await Deno.stat(path);
      theirs = await tshark(path);
    } catch {
      console.warn("skipped, tshark or the sample captures are absent");
      return;
    }
    const source = await openCapture(path, { exactTimes: true });
    const points = [...await pointsOf(source)];
    const [, stat] = points.find(([key]) => key.endsWith("/STAT"))!;
    assertEquals(stat.times.length, theirs.length);
    const columns = points.filter(([key]) => /\/PH\d+(MAG|ANG) /.test(key));
    for (const [k, { fraction, phasors }] of theirs.entries()) {
      assertEquals(columns.length, 2 * phasors.length);
      const want = exactTime(0, fraction, name === "TCP" ? 16_777_215 : 1_000_000);
      assertEquals(stat.times[k]! % 1_000_000_000n, want);
      for (const [i, value] of phasors.flat().entries()) {
        assertAlmostEquals(columns[i]![1].values[k]!, value, 6e-4, `${name} ${k} ${i}`);
      }
    }
  }
});

Deno.test("CaptureSource: TCP out of order, sent again, over the end of the numbers", async () => {
  const list = segments(join(second(7)), {});
  const shuffled = [list[0]!, list[2]!, list[1]!, list[1]!, ...list.slice(3).reverse(), list[0]!];
  const source = await open(pcap(shuffled));
  assertEquals(await frames(source), { "7_SIM 7": 10 });
  assertEquals(source.notices, []);
});

Deno.test("CaptureSource: a packet that the capture missed costs its frames alone", async () => {
  const list = segments(join(second(7, 1_700_000_000, 50)), {});
  const source = await open(pcap(list.filter((_, i) => i !== 9)));
  const { "7_SIM 7": count } = await frames(source);
  assert(count! >= 45 && count! < 50, `${count}`);
  assert(source.notices.some((notice) => notice.includes("gaps in TCP")), source.notices.join());
});

Deno.test("CaptureSource: several connections, IPv6, VLAN, UDP, pcapng", async () => {
  const list = [
    ...segments(join(second(1)), { from: 1 }),
    ...segments(join(second(2)), { from: 2, v6: true, vlans: 1 }),
    ...second(3).map((frame) => packet(frame, { from: 3, udp: true, vlans: 2 })),
    ...second(4).map((frame) => packet(frame, { from: 4, udp: true, v6: true })),
  ];
  const want = { "1_SIM 1": 10, "2_SIM 2": 10, "3_SIM 3": 10, "4_SIM 4": 10 };
  assertEquals(await frames(await open(pcap(list))), want);
  assertEquals(await frames(await open(pcapng(list), 77)), want);
});

Deno.test("CaptureSource: two clients of one PMU give each point once", async () => {
  const bytes = join(second(7));
  const list = [...segments(bytes, { to: 2 }), ...segments(bytes, { to: 3 })];
  const source = await open(pcap(list));
  assertEquals(await frames(source), { "7_SIM 7": 10 });
  assertEquals(source.notices, ["10 data frames come twice, the second ones are left out"]);
});

Deno.test("CaptureSource: stations of the same name on two devices stay apart", async () => {
  const list = [1, 2].flatMap((from) => segments(join(second(7, 1_700_000_000 + from)), { from }));
  const source = await open(pcap(list));
  assertEquals(await frames(source), { "7_SIM 7": 10, "7_SIM 7@10.0.0.2": 10 });
});

Deno.test("CaptureSource: commands by TCP, data by UDP from another port", async () => {
  const [configuration, ...data] = second(7);
  const list = [
    ...segments(configuration!, { from: 9 }),
    ...data.map((frame) => packet(frame, { from: 9, udp: true, port: 50_000 })),
  ];
  assertEquals(await frames(await open(pcap(list))), { "7_SIM 7": 10 });
});

Deno.test("CaptureSource: fragments of IPv4", async () => {
  const whole = packet(join(second(7)), { udp: true });
  const [ethernet, ip] = [whole.subarray(0, 14), whole.subarray(14)];
  const body = ip.subarray(20);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += 400) {
    const part = body.subarray(at, at + 400);
    const header = ip.slice(0, 20);
    header.set([
      ...u16(20 + part.length),
      0,
      1,
      ...u16((at + 400 < body.length ? 0x2000 : 0) | at / 8),
    ], 2);
    pieces.push(join([ethernet, header, part]));
  }
  assert(pieces.length > 2);
  assertEquals(await frames(await open(pcap(pieces.reverse()))), { "7_SIM 7": 10 });
});

/**
 * An IPv6 packet in fragments.
 *
 * @param headers Headers after the fragment's, with the type of the first one.
 */
function fragmentsOfV6(
  whole: Uint8Array,
  cuts: readonly (readonly [from: number, to: number])[],
  { before = [], type = 17, id = 9 }: { before?: number[]; type?: number; id?: number } = {},
): Uint8Array[] {
  const [ethernet, ip] = [whole.subarray(0, 14), whole.subarray(14)];
  const body = ip.subarray(40);
  return cuts.map(([from, to]) => {
    const part = body.subarray(from, to);
    const header = ip.slice(0, 40);
    header.set(u16(before.length + 8 + part.length), 4);
    header[6] = before.length > 0 ? 0 : 44;
    const fragment = [type, 0, ...u16(from | (to < body.length ? 1 : 0)), ...u32(id)];
    return join([ethernet, header, before, fragment, part]);
  });
}

/** Places to cut, so many bytes each. */
function cutsOf(size: number, step: number): [number, number][] {
  return Array.from(
    { length: Math.ceil(size / step) },
    (_, i) => [step * i, Math.min(size, step * (i + 1))],
  );
}

Deno.test("CaptureSource: fragments of IPv6 in any order, twice, overlapping, behind options", async () => {
  const whole = packet(join(second(7)), { udp: true, v6: true });
  const size = whole.length - 54;
  const cuts = cutsOf(size, 400);
  assert(cuts.length > 2);
  const want = { "7_SIM 7": 10 };
  const pieces = fragmentsOfV6(whole, cuts);
  assertEquals(await frames(await open(pcap(pieces))), want);
  assertEquals(await frames(await open(pcap(pieces.toReversed()))), want);
  assertEquals(await frames(await open(pcap([pieces[0]!, pieces[0]!, ...pieces.slice(1)]))), want);
  // An option of hop by hop before the fragments.
  const before = [44, 0, 1, 4, 0, 0, 0, 0];
  assertEquals(await frames(await open(pcap(fragmentsOfV6(whole, cuts, { before })))), want);
  // Two fragments that overlap do not stand for the bytes between others, which are missing.
  const [first, , third, ...rest] = cuts;
  const overlapping = [first!, [200, 400], [160, 400], third!, ...rest] as [number, number][];
  await assertRejects(
    () => open(pcap(fragmentsOfV6(whole, overlapping))),
    RangeError,
    "no data frame of C37.118",
  );
  const filled = [...overlapping, [360, 800]] as [number, number][];
  assertEquals(await frames(await open(pcap(fragmentsOfV6(whole, filled)))), want);
});

Deno.test("CaptureSource: fragments of IPv6 with destination options in the fragmented part", async () => {
  const whole = packet(join(second(7)), { udp: true, v6: true });
  const options = [17, 0, 1, 4, 0, 0, 0, 0];
  const longer = join([whole.subarray(0, 54), options, whole.subarray(54)]);
  const cuts = cutsOf(longer.length - 54, 400);
  const pieces = fragmentsOfV6(longer, cuts, { type: 60 });
  assertEquals(await frames(await open(pcap(pieces))), { "7_SIM 7": 10 });
});

Deno.test("CaptureSource: fragments of two IPv6 datagrams at a time stay apart", async () => {
  const [a, b] = [7, 8].map((id) => packet(join(second(id)), { udp: true, v6: true, from: 1 }));
  const pieces = [a!, b!].map((whole, i) =>
    fragmentsOfV6(whole, cutsOf(whole.length - 54, 400), { id: i + 1 })
  );
  const mixed = pieces[0]!.flatMap((piece, i) => [piece, pieces[1]![i]!]);
  assertEquals(await frames(await open(pcap(mixed))), { "7_SIM 7": 10, "8_SIM 8": 10 });
});

Deno.test("CaptureSource: a fragment of IPv6 that never comes costs its datagram alone", async () => {
  const [lost, good] = [7, 8].map((id) => packet(join(second(id)), { udp: true, v6: true }));
  const cuts = cutsOf(lost!.length - 54, 400);
  const list = [
    ...fragmentsOfV6(lost!, cuts.toSpliced(1, 1)),
    ...fragmentsOfV6(good!, cuts, { id: 10 }),
  ];
  const source = await open(pcap(list));
  assertEquals(await frames(source), { "8_SIM 8": 10 });
  assertEquals(source.notices, ["1 datagrams in fragments are not complete, left out"]);
});

Deno.test("CaptureSource: import of a .pdat, a file a minute, found by its name or its frames", async () => {
  const folder = await Deno.makeTempDir();
  await using db = await connect("memory:");
  try {
    const minute = join(second(7, 1_700_000_040, 30));
    const options = { stateFolder: folder, into: "bpa" };
    // The name says it where the file begins with bytes that are no frame.
    for (
      const [i, bytes] of [
        minute,
        join([new TextEncoder().encode("PDAT"), join(second(7, 1_700_000_100, 30))]),
        join(second(7, 1_700_000_160, 30)).subarray(0, -5),
      ].entries()
    ) {
      const path = `${folder}/BPA_20231114_22${14 + i}00.pdat`;
      await Deno.writeFile(path, bytes);
      const { format, rows } = await importFile(db, path, options);
      assertEquals([format, rows], ["c37118", i === 2 ? 29 : 30]);
    }
    const named: string[] = [];
    for await (const stream of db.lookupStreams("bpa/7_SIM 7", { tags: { name: "FREQ" } })) {
      named.push(stream.uuid);
      const { times } = await stream.rawValues(0n, 2n ** 61n).collect();
      assertEquals(times.length, 89);
      assertEquals(times[0], 1_700_000_040_000_000_000n);
      assertEquals(times[88], 1_700_000_160_000_000_000n + 28n * 1_000_000_000n / 30n);
    }
    assertEquals(named.length, 1);
    // Other names are no reason against it, and without a frame in it there is an error.
    assertEquals((await explain(minute)).format, "c37118");
    const path = `${folder}/empty.PDAT`;
    await Deno.writeTextFile(path, "time,value\n1,2\n");
    await assertRejects(() => explain(path), ImportError, "no data frame of C37.118");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("CaptureSource: the same position gives the same batches", async () => {
  const source = await open(join(second(7, 1_700_000_000, 100)));
  const [all] = await Array.fromAsync(source.batches(START));
  assertEquals(all!.next.rows, 100);
  const [rest] = await Array.fromAsync(source.batches({ ...START, rows: 60 }));
  assertEquals(rest!.columns[0]!.times, all!.columns[0]!.times.slice(60));
  assertEquals(await Array.fromAsync(source.batches(all!.next)), []);
});

Deno.test("CaptureSource: what is no capture is refused, with what was found", async () => {
  await assertRejects(() => open(new Uint8Array(0)), RangeError, "it is empty");
  await assertRejects(() => open(new Uint8Array(999)), RangeError, "no data frame of C37.118");
  const [, ...data] = second(7);
  await assertRejects(() => open(join(data)), RangeError, "before the configuration");
  const long = pcap([]);
  const lie = join([long, u32(0), u32(0), u32(0xffff_fff0), u32(0)]);
  await assertRejects(() => open(lie), RangeError, "expected at most");
});
