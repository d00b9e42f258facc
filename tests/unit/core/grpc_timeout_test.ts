import { assert, assertEquals } from "@std/assert";
import { formatGrpcTimeout, parseGrpcTimeout } from "../../../src/core/grpc_timeout.ts";
import { Random } from "../../support/random.ts";

Deno.test("parseGrpcTimeout: reads 1 to 8 digits and a unit, and nothing else", () => {
  const legal: [string, number][] = [
    ["90S", 90_000],
    ["00000001m", 1],
    ["99999999H", 99_999_999 * 3_600_000],
    ["2M", 120_000],
    ["5000u", 5],
    ["1000000n", 1],
    ["0n", 0],
  ];
  for (const [text, ms] of legal) assertEquals([text, parseGrpcTimeout(text)], [text, ms]);
  const others = [
    "",
    "S",
    "1",
    "1 S",
    " 1S",
    "1S ",
    "1S\n",
    "\n1S",
    "1s",
    "-1S",
    "+1S",
    "1.5S",
    "1SS",
  ];
  for (const text of [...others, "123456789n", "1d", "\u0661S", "1e1S", "S1"]) {
    assertEquals([text, parseGrpcTimeout(text)], [text, undefined]);
  }
});

Deno.test("formatGrpcTimeout: is read back as the same or a little more", () => {
  const random = new Random(1);
  const some = [-1, 0, 0.4, 1, 99_999_999, 99_999_999.5, 1e8, 1e11, 1e14, Number.MAX_SAFE_INTEGER];
  for (let i = 0; i < 2_000; i++) some.push(random.next() * 10 ** random.int(0, 16));
  for (const ms of some) {
    const text = formatGrpcTimeout(ms);
    const back = parseGrpcTimeout(text);
    assert(back !== undefined, text);
    assert(back >= Math.min(ms, 99_999_999 * 3_600_000), `${text} for ${ms} ms`);
    assert(back <= Math.max(0, ms) * (1 + 1e-3) + 1, `${text} for ${ms} ms`);
  }
  assertEquals([Infinity, 90_000, -5].map(formatGrpcTimeout), ["99999999H", "90000m", "0m"]);
});
