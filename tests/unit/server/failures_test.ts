import { assertEquals } from "@std/assert";
import { fromBinary } from "@bufbuild/protobuf";
import { BTrDBError } from "../../../src/core/errors.ts";
import { FlushResponseSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import { type Failure, failureOf, shorten } from "../../../src/server/failures.ts";
import { GrpcFailure } from "../../../src/server/transport/status.ts";

const alive = new AbortController().signal;

function textOf(rpc: string, error: unknown): string {
  const failure = failureOf(rpc, error, alive);
  if (failure.kind !== "status") throw new Error(`gRPC status ${failure.code}`);
  const { stat } = fromBinary(FlushResponseSchema, failure.message);
  assertEquals(stat?.code, failure.code);
  return stat!.msg;
}

const unknown = new BTrDBError("stream not found", { code: 404 });

for (
  const rpc of ["RawValues", "AlignedWindows", "Nearest", "StreamInfo", "Create", "GenerateCSV"]
) {
  Deno.test(`failureOf sends the bare text for ${rpc}`, () => {
    assertEquals(textOf(rpc, unknown), "stream not found");
  });
}

for (
  const rpc of ["Windows", "Changes", "LookupStreams", "Insert", "Delete", "Flush", "Obliterate"]
) {
  Deno.test(`failureOf sends the code with the text for ${rpc}`, () => {
    assertEquals(textOf(rpc, unknown), "(404: stream not found)");
  });
}

Deno.test("failureOf sends some texts bare always, and wraps none twice", () => {
  assertEquals(textOf("Insert", new BTrDBError("Insert too big", { code: 414 })), "Insert too big");
  const proxied = new BTrDBError("(404: stream not found)", { code: 404 });
  assertEquals(textOf("Windows", proxied), "(404: stream not found)");
  assertEquals(textOf("RawValues", proxied), "stream not found");
});

Deno.test("failureOf passes on the status of a transport behind this server", () => {
  const lost = new BTrDBError("Lost db:4410", { status: "UNAVAILABLE" });
  assertEquals(failureOf("RawValues", lost, alive), {
    kind: "grpc",
    code: 14,
    text: "Lost db:4410",
    unexpected: false,
  });
});

for (
  const [status, code] of [
    ["FAILED_PRECONDITION", 9],
    ["ABORTED", 10],
    ["DATA_LOSS", 15],
    ["UNKNOWN", 2],
  ] as const
) {
  Deno.test(`failureOf passes on ${status}, by which a server behind says what to do next`, () => {
    const error = new BTrDBError("read it again", { status });
    const expected: Failure = { kind: "grpc", code, text: "read it again", unexpected: false };
    assertEquals(failureOf("RawValues", error, alive), expected);
  });
}

Deno.test("failureOf tells a client nothing about an error nobody expected", () => {
  const failure = failureOf("RawValues", new Error("SELECT secret FROM keys"), alive);
  assertEquals(failure, { kind: "grpc", code: 13, text: "internal error", unexpected: true });
  const slip = new TypeError("Cannot read properties of undefined (reading 'secret')");
  assertEquals(failureOf("RawValues", slip, alive), failure);
});

Deno.test("failureOf says why a call was cancelled, whatever broke because of it", () => {
  const controller = new AbortController();
  controller.abort(new GrpcFailure(4, "context deadline exceeded"));
  const failure = failureOf("RawValues", new Error("the file is closed"), controller.signal);
  assertEquals(failure.kind === "grpc" && failure.code, 4);
});

Deno.test("shorten: names are cut at 100 characters, texts at 2,000, whole characters only", () => {
  const name = "x".repeat(100);
  assertEquals(shorten(`tag "${name}" is invalid`), `tag "${name}" is invalid`);
  assertEquals(shorten(`tag "${name}y" and "z" are`), `tag "${name}…" and "z" are`);
  assertEquals(shorten(`"${"x".repeat(99)}😀y"`), `"${"x".repeat(99)}…"`);
  assertEquals(shorten("y".repeat(10_000)).length, 2_001);
  assertEquals(shorten('"'.repeat(1_000_001)).length, 2_001);
});
