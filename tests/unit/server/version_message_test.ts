import { create, toBinary } from "@bufbuild/protobuf";
import { assertEquals } from "@std/assert";
import { FlushResponseSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import { versionMessage } from "../../../src/server/btrdb/writes.ts";

Deno.test("versionMessage: the bytes are those of protobuf-es", () => {
  const numbers = [0n, 1n, 127n, 128n, 300n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
  for (const major of numbers) {
    for (const minor of numbers) {
      const response = create(FlushResponseSchema, { versionMajor: major, versionMinor: minor });
      assertEquals(versionMessage({ major, minor }), toBinary(FlushResponseSchema, response));
    }
  }
});
