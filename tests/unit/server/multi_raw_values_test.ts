import { assertEquals } from "@std/assert";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { MultiRawValuesResponseSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import { rowsMessage, versionFields } from "../../../src/server/btrdb/multi_raw_values.ts";

// With four calls on 2,000 streams beside them, honest callers waited 20 to 50 ms of CPU time again and
// again: each message of 131,072 values was encoded by the library, two at a time with their merge.
Deno.test("rowsMessage encodes what the library decodes, of few streams and of many", () => {
  for (const streams of [1, 2, 15, 16, 2_000, 2_100]) {
    const times = BigInt64Array.of(-(2n ** 60n), -1n, 0n, 1n, 3n * 2n ** 60n - 1n);
    const values = Array.from(
      { length: streams },
      (_, s) => Float64Array.of(s, -0, NaN, Infinity, Math.PI * s),
    );
    const fields = {
      versionMajor: values.map((_, s) => BigInt(s)),
      versionMinor: values.map(() => 3n),
    };
    const head = toBinary(
      MultiRawValuesResponseSchema,
      create(MultiRawValuesResponseSchema, fields),
    );
    for (const [from, to] of [[0, 5], [1, 4], [2, 3], [2, 2]] as const) {
      const message = rowsMessage({ times, values }, head, from, to);
      const decoded = fromBinary(MultiRawValuesResponseSchema, message);
      assertEquals(decoded.versionMajor, fields.versionMajor);
      assertEquals(decoded.versionMinor, fields.versionMinor);
      assertEquals(
        decoded.values.map(({ time, value }) => [time, ...value]),
        Array.from({ length: to - from }, (_, i) => [
          times[from + i]!,
          ...values.map((column) => column[from + i]!),
        ]),
      );
    }
  }
});

// Those of 10,000 streams were one step, of 20 ms of CPU time in the first call and 15 in the second.
Deno.test("versionFields encodes all versions, in parts if there are many", async () => {
  for (const streams of [1, 512, 513, 2_000]) {
    const versions = Array.from({ length: streams }, (_, s) => ({
      major: BigInt(s + 10),
      minor: BigInt(s % 3),
    }));
    const decoded = fromBinary(
      MultiRawValuesResponseSchema,
      await versionFields({ versions }),
    );
    assertEquals(decoded.versionMajor, versions.map(({ major }) => major));
    assertEquals(decoded.versionMinor, versions.map(({ minor }) => minor));
  }
});
