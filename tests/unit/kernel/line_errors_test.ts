/** Lines of line protocol that are refused, in words that say what is allowed. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { LineParser } from "../../../src/kernel/line_parser.ts";

function parsed(text: string, unit = 1n) {
  const parser = new LineParser({ unit, now: 7n });
  return [...parser.push(new TextEncoder().encode(text)), ...parser.finish()];
}

function errorsOf(text: string, unit?: bigint): string[] {
  return parsed(text, unit).flatMap(({ errors }) => errors.map(({ message }) => message));
}

// The error said "time outside range", and which range that is stood nowhere: a collector with another
// precision is the usual reason, and the range in its unit shows it.
Deno.test("LineParser: errors of times say the range in the unit of the request", () => {
  const ranges: [unit: bigint, last: bigint, range: string][] = [
    [1n, 3458764513820540926n, "-1152921504606846976 to 3458764513820540926 ns"],
    [1_000n, 3458764513820540n, "-1152921504606846 to 3458764513820540 us"],
    [1_000_000n, 3458764513820n, "-1152921504606 to 3458764513820 ms"],
    [1_000_000_000n, 3458764513n, "-1152921504 to 3458764513 s"],
    [60_000_000_000n, 57646075n, "-19215358 to 57646075 minutes"],
    [3_600_000_000_000n, 960767n, "-320255 to 960767 hours"],
  ];
  for (const [unit, last, range] of ranges) {
    const expected = `expected ${range} (1933-06-20 to 2079-08-08)`;
    const [first] = /-?\d+/.exec(range)!;
    assertEquals(errorsOf(`m f=1 ${last}\nm f=1 ${first}\n`, unit), []);
    for (const beyond of [last + 1n, BigInt(first!) - 1n]) {
      const [message = ""] = errorsOf(`m f=1 ${beyond}\n`, unit);
      assertStringIncludes(message, `time outside range at '${beyond}', ${expected}`);
    }
  }
  assertStringIncludes(
    errorsOf("m f=1 9223372036854775807\n", 0n)[0]!,
    "3458764513820540926 ns or",
  );
});

Deno.test("LineParser: errors of numbers say the range before i, before u, and of others", () => {
  for (const number of ["9223372036854775808i", "-1u", "18446744073709551616u", "1e400"]) {
    const [message = ""] = errorsOf(`m f=${number} 1\n`);
    assertStringIncludes(message, `number out of range at '${number} 1'`);
    assertStringIncludes(message, "expected -2^63 to 2^63 - 1 before i, 0 to 2^64 - 1 before u");
  }
});

// Of two values of one field in a line one was lost without a word by way of HTTP, and both were stored at
// the same time from a file.
Deno.test("LineParser: a field that comes twice in a line is an error of its line", () => {
  const [batch] = parsed("m f=1,g=2 1\nm f=1,g=2,f=3 2\nm g=4,f=5 3\nm,t=a f=1,f=1 4\nm f=6 5\n");
  assertEquals([...batch!.columns.values], [1, 2, 4, 5, 6]);
  assertEquals(batch!.errors.map(({ line }) => line), [2, 4]);
  assertStringIncludes(batch!.errors[0]!.message, "duplicate field at 'f=3 2'");
  // Strings are no points, and the same field in another line or series is another point.
  assertEquals(errorsOf('m f="a",f="b",f=1 1\nm f=1 1\nm,t=a f=1 1\n'), []);
});

// Where the power failed, a file has zeros in place of its last bytes. They were passed over like blanks: a
// point whose time had lost its last digits was stored, decades too early, and whole lines of zeros were
// not counted.
Deno.test("LineParser: zeros are no blanks, half a time before them is an error", () => {
  const torn = "m f=2 170000000000000\0\0\0\0";
  const lines = ["m f=1 1", torn, "\0\0\0", "m f=2 \0\0", "m f=2\0", "m f=3 3"];
  const [batch] = parsed(`${lines.join("\n")}\n`);
  assertEquals([...batch!.columns.values], [1, 3]);
  assertEquals(batch!.errors.map(({ line }) => line), [2, 3, 4, 5]);
  assertStringIncludes(batch!.errors[0]!.message, "bad timestamp");
});
