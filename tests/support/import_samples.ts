/**
 * Small files of every format that can be imported, made without the code that reads them wherever
 * that can be.
 *
 * @module
 */

import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import { writeArrow } from "../../src/io/arrow.ts";
import { writeParquet } from "../../src/io/parquet.ts";
import type { TableStream } from "../../src/io/table.ts";
import type { ExportProgress } from "../../src/csv/byte_sink.ts";
import type { ImportOptions } from "../../src/ingest/mod.ts";
import {
  encodeConfiguration,
  encodeValues,
  simulatedConfiguration,
  simulatedValues,
} from "../../src/ingest/c37118/mod.ts";
import { DataLayout } from "../../src/ingest/c37118/data_layout.ts";
import { makeComtrade, makeSingleFile } from "./comtrade.ts";
import { damagedFooter, damagedFrame, otherFields } from "./sealed_damage.ts";
import type { Random } from "./random.ts";
import { upmuFile } from "./upmu_file.ts";

/** A file to import. */
export interface ImportSample {
  /** Names of the files of which it consists; the first one is named to the import. */
  files: Record<string, Uint8Array>;
  options?: ImportOptions;
  /**
   * Protection of its content by checksums: of all of it, so that only what was in the file can
   * come out of it; of each frame, so that some of it can.
   */
  checked?: "whole" | "frames";
  /** The first file, damaged behind its checksums and lengths. */
  sealed?: (random: Random) => Uint8Array;
}

const START = Date.UTC(2026, 2, 29, 0, 59, 58);
const ROWS = 60;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const instant = (i: number): string => new Date(START + 100 * i).toISOString();
const value = (i: number, k = 0): number => Math.round(1e4 * Math.sin(i + k)) / 100;

function table(delimiter: string, line: (i: number) => unknown[], head: string[]): Uint8Array {
  const rows = [head, ...Array.from({ length: ROWS }, (_, i) => line(i))];
  return text(rows.map((cells) => cells.join(delimiter)).join("\n") + "\n");
}

const ISO = table(",", (i) => [instant(i), value(i), i % 7 === 0 ? "" : value(i, 1)], [
  "time",
  "Freq [Hz]",
  '"U, V"',
]);

const INFLUX = text(
  "#group,false,false,false,false,true\n#datatype,string,long,dateTime:RFC3339Nano,double,string\n" +
    "#default,_result,,,,\n,result,table,_time,_value,_field\n" +
    Array.from({ length: ROWS }, (_, i) => `,,${i >> 5},${instant(i)},${value(i)},f${i >> 5}\n`)
      .join(""),
);

const JSIS = text(
  "Time,A,B\nType,F,VPM\ns,Hz,V\nseconds,Frequency,Voltage\n" +
    Array.from({ length: ROWS }, (_, i) => `${(i / 30).toFixed(6)},${value(i)},${value(i, 1)}\n`)
      .join(""),
);

/** Frames of a simulated PMU: its configuration, then a second of data. */
function frames(): Uint8Array[] {
  const configuration = simulatedConfiguration({ id: 7, rate: 30 });
  const layout = new DataLayout(configuration);
  const soc = START / 1000;
  const data = Array.from({ length: 30 }, (_, tick) => {
    const fraction = Math.round(tick * 1_000_000 / 30);
    return encodeValues(layout, simulatedValues(configuration, soc, tick, 7), { soc, fraction });
  });
  return [...encodeConfiguration(configuration, { soc, fraction: 0 }), ...data];
}

/** Frames of which some are damaged, each with a checksum that fits. */
function withDamage(all: Uint8Array[], random: Random): Uint8Array[] {
  for (let i = random.int(1, 3); i > 0; i--) {
    // Configurations are few, and say more.
    const at = random.chance(0.5) ? random.int(0, 2) : random.int(0, all.length - 1);
    all[at] = damagedFrame(all[at]!, random);
  }
  return all;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** A capture of datagrams, one a frame, in IPv4 without Ethernet. */
function capture(payloads: readonly Uint8Array[]): Uint8Array {
  const packets = payloads.map((payload, i) => {
    const packet = new Uint8Array(16 + 28 + payload.length);
    const view = new DataView(packet.buffer);
    view.setUint32(0, START / 1000, true);
    view.setUint32(4, i, true);
    view.setUint32(8, packet.length - 16, true);
    view.setUint32(12, packet.length - 16, true);
    packet.set([0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 16);
    view.setUint16(18, 28 + payload.length);
    view.setUint16(36, 4712);
    view.setUint16(38, 4713);
    view.setUint16(40, 8 + payload.length);
    packet.set(payload, 44);
    return packet;
  });
  const head = new DataView(new ArrayBuffer(24));
  head.setUint32(0, 0xa1b2c3d4, true);
  head.setUint16(4, 2, true);
  head.setUint16(6, 4, true);
  head.setUint32(16, 65_535, true);
  head.setUint32(20, 101, true);
  return joined([new Uint8Array(head.buffer), ...packets]);
}

async function columnar(
  write: (
    sink: WritableStream<Uint8Array>,
    streams: TableStream[],
  ) => Promise<ExportProgress>,
): Promise<Uint8Array> {
  const times = BigInt64Array.from(
    { length: ROWS },
    (_, i) => BigInt(START + 100 * i) * 1_000_000n,
  );
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const written = write(
    writable,
    [0, 1].map((k) => ({
      label: `c${k}`,
      columns: {
        times: times.slice(k),
        values: Float64Array.from({ length: ROWS - k }, (_, i) => value(i, k)),
      },
    })),
  );
  const bytes = new Uint8Array(await new Response(readable).arrayBuffer());
  await written;
  return bytes;
}

/** Samples of every format, by name. */
export async function importSamples(): Promise<Record<string, ImportSample>> {
  const samples: Record<string, ImportSample> = {
    csv: { files: { "a.csv": ISO } },
    german: {
      files: {
        "a.csv": table(";", (i) => {
          const clock = new Date(START + 1000 * i).toISOString().slice(11, 19);
          return ["29.03.2026", clock, String(value(i)).replace(".", ","), i];
        }, ["Datum", "Uhrzeit", "Wert", "n"]),
      },
      options: { tz: "Europe/Berlin", decimal: "," },
    },
    milliseconds: { files: { "a.tsv": table("\t", (i) => [START + i, value(i)], ["ts", "v"]) } },
    relative: {
      files: { "a.csv": table(",", (i) => [(i / 30).toFixed(6), value(i)], ["t", "v"]) },
      options: { start: 1_772_323_200_000_000_000n, rate: 30 },
    },
    jsis: { files: { "SUB7_20190111_030000.csv": JSIS } },
    annotated: { files: { "a.csv": INFLUX } },
    gzip: { files: { "a.csv.gz": gzipSync(ISO) }, checked: "whole" },
    zstd: {
      files: {
        "a.csv.zst": zstdCompressSync(ISO, { params: { [constants.ZSTD_c_checksumFlag]: 1 } }),
      },
      checked: "whole",
    },
    upmu: {
      files: {
        "a.dat": upmuFile([0, 1].map((second) => ({ date: [2026, 3, 1, 0, 0, second] }))),
      },
    },
    frames: {
      files: { "a.bin": joined(frames()) },
      checked: "frames",
      sealed: (random) => joined(withDamage(frames(), random)),
    },
    capture: {
      files: { "a.pcap": capture(frames()) },
      checked: "frames",
      sealed: (random) => capture(withDamage(frames(), random)),
    },
  };
  for (const sample of Object.values(samples)) {
    const [[name, bytes]] = Object.entries(sample.files) as [[string, Uint8Array]];
    if (/csv$|tsv$/.test(name)) sample.sealed = (random) => otherFields(bytes, random);
  }
  for (const type of ["ASCII", "BINARY", "BINARY32", "FLOAT32"]) {
    const record = {
      type,
      samples: [0, 1].map((k) => Array.from({ length: ROWS }, (_, i) => Math.round(value(i, k)))),
      states: [Array.from({ length: ROWS }, (_, i) => i >> 4 & 1)],
    };
    const { configuration, samples: data } = makeComtrade(record);
    samples[`comtrade ${type}`] = {
      files: { "a.cfg": configuration, "a.dat": data },
      sealed: (random) => otherFields(configuration, random),
    };
    samples[`single file ${type}`] = { files: { "a.cff": makeSingleFile(record) } };
  }
  for (const compression of ["zstd", "snappy", "none"] as const) {
    const bytes = await columnar((sink, streams) => writeParquet(sink, streams, { compression }));
    samples[`parquet ${compression}`] = {
      files: { "a.parquet": bytes },
      sealed: (random) => damagedFooter(bytes, random),
    };
  }
  samples.arrow = { files: { "a.arrows": await columnar(writeArrow) } };
  return samples;
}
