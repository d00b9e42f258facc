/** Arguments of the functions that write frames. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  type Configuration,
  DataLayout,
  decodeFrames,
  encodeCommand,
  encodeConfiguration,
  encodeHeader,
  encodeValues,
  type FrameStamp,
  type PmuCommand,
  simulatedConfiguration,
} from "../../../../src/ingest/c37118/mod.ts";

const STAMP: FrameStamp = { soc: 1_700_000_000, fraction: 0 };

// Numbers were cut to the bits of their fields: 70,000 was written as 4,464.
Deno.test("encodeCommand: a number that does not fit into its field is refused, and no command is 0", () => {
  const wrong: [() => unknown, string][] = [
    [
      () => encodeCommand(70_000, "start", STAMP),
      "idcode is 70000, expected a whole number from 0",
    ],
    [() => encodeCommand(-1, "start", STAMP), "idcode is -1"],
    [
      () => encodeCommand(7, "begin" as PmuCommand, STAMP),
      'command is "begin", expected one of "st',
    ],
    [() => encodeCommand(7, 65_536, STAMP), "command is 65536"],
    [() => encodeCommand(7, "start", { ...STAMP, fraction: 0.5 }), "stamp.fraction is 0.5"],
    [() => encodeCommand(7, "start", { ...STAMP, soc: 2 ** 32 }), "stamp.soc is 4294967296"],
    [() => encodeCommand(7, "start", { ...STAMP, quality: 256 }), "stamp.quality is 256"],
    [() => encodeHeader(7, "x".repeat(65_520), STAMP), "Cannot write a frame of 65536 bytes"],
  ];
  for (const [call, text] of wrong) assertThrows(call, RangeError, text);
  const [frame] = decodeFrames(encodeCommand(65_535, 65_535, { ...STAMP, quality: 255 }));
  assertEquals([frame?.idcode, frame?.quality], [65_535, 255]);
  assertEquals(encodeHeader(7, "x".repeat(65_519), STAMP).length, 65_535);
});

Deno.test("encodeConfiguration: a number that does not fit into its field is refused by name", () => {
  const plain = simulatedConfiguration({ id: 7, phasors: 1, analogs: 1 });
  const [station] = plain.stations;
  const { names } = station!.digitals[0]!;
  const withStation = (own: object): Configuration => ({
    ...plain,
    stations: [{ ...station!, ...own }],
  });
  const wrong: [Configuration, string][] = [
    [{ ...plain, idcode: 65_536 }, "idcode is 65536"],
    [{ ...plain, timeBase: 2 ** 24 }, "timeBase is 16777216, expected a whole number from 1"],
    [{ ...plain, dataRate: 32_768 }, "dataRate is 32768"],
    [withStation({ idcode: -1 }), "idcode is -1"],
    [withStation({ changeCount: 65_536 }), "changeCount is 65536"],
    [
      withStation({ analogs: [{ ...station!.analogs[0], scale: 2 ** 23 }] }),
      "scale of an analog is",
    ],
    [withStation({ digitals: [{ names, normal: 1.5, valid: 0 }] }), "normal is 1.5"],
    [
      withStation({ digitals: [{ names: names.slice(1), normal: 0, valid: 0 }] }),
      "number of names of a digital word is 15",
    ],
  ];
  for (const [configuration, text] of wrong) {
    assertThrows(() => encodeConfiguration(configuration, STAMP), RangeError, text);
  }
  assertThrows(
    () => encodeConfiguration(withStation({ phasors: 3 }), STAMP),
    TypeError,
    "configuration.stations[0].phasors is 3, expected an array",
  );
});

Deno.test("encodeValues: as many values as the layout has slots, no fewer and no more", () => {
  const layout = new DataLayout(simulatedConfiguration({ id: 7 }));
  for (const n of [layout.slots - 1, layout.slots + 1]) {
    assertThrows(
      () => encodeValues(layout, new Float64Array(n), STAMP),
      RangeError,
      `values is ${n} numbers, expected a Float64Array of ${layout.slots} numbers`,
    );
  }
});
