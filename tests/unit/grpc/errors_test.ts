import { assertEquals } from "@std/assert";
import { status as Status } from "@grpc/grpc-js";
import { checkStat, statError, transportError } from "../../../src/grpc/errors.ts";

const uuid = new Uint8Array(16).fill(0xab);
const call = { rpc: "Windows", uuid };
const UUID = "abababab-abab-abab-abab-abababababab";

Deno.test("statError: a stat becomes the code and the bare text", () => {
  const wrapped = statError({ code: 404, msg: "(404: stream not found)" }, call);
  assertEquals(
    [wrapped.code, wrapped.status, wrapped.message, wrapped.rpc, wrapped.uuid, wrapped.retryable],
    [404, "NoSuchStream", "stream not found", "Windows", UUID, false],
  );
  assertEquals(statError({ code: 413, msg: "start time >= end time" }, call).code, 413);
  assertEquals(statError({ code: 426, msg: "busy" }, call).retryable, true);
  assertEquals(statError({ code: 999, msg: "new" }, call).status, "UNKNOWN");
});

Deno.test("checkStat: no stat, and one with code 0, is success", () => {
  checkStat(undefined, call);
  checkStat({ code: 0, msg: "" }, call);
});

Deno.test("transportError: codes are found in the texts of proxies, and only there", () => {
  const proxied = transportError(
    { code: Status.UNKNOWN, details: "[404] stream does not exist" },
    call,
    "db:1",
  );
  assertEquals([proxied.code, proxied.message], [404, "stream does not exist"]);
  const wrapped = transportError({ code: Status.UNKNOWN, details: "(415: bad)" }, call, "db:1");
  assertEquals([wrapped.code, wrapped.message], [415, "bad"]);
  const other = transportError({ code: Status.UNKNOWN, details: "500 points [404]" }, call, "db:1");
  assertEquals([other.code, other.status], [0, "UNKNOWN"]);
});

// "[0] …" came out as an error without a name, whatever its status, and 400 digits as the code Infinity.
Deno.test("transportError: numbers that no code has are text, and the status stays", () => {
  for (const details of ["[0] fine", "(0: fine)", `[${"9".repeat(400)}] x`, "[1234567890] x"]) {
    const error = transportError({ code: Status.FAILED_PRECONDITION, details }, call, "db:1");
    assertEquals([error.code, error.status], [0, "FAILED_PRECONDITION"]);
    assertEquals(error.message, `Windows failed at db:1: ${details}`);
  }
});

Deno.test("transportError: a lost peer is UNAVAILABLE whatever it looks like", () => {
  const ends = [
    { code: Status.UNAVAILABLE, details: "Connection dropped" },
    { code: Status.CANCELLED, details: "Call cancelled" },
    { code: Status.INTERNAL, details: "Received RST_STREAM with code 2" },
  ];
  for (const end of ends) {
    const error = transportError(end, call, "db:4410");
    assertEquals([error.code, error.status, error.retryable], [0, "UNAVAILABLE", true]);
    assertEquals(error.message.includes("db:4410"), true, error.message);
  }
});

Deno.test("transportError: other statuses keep their name and are not retried", () => {
  for (const name of ["UNAUTHENTICATED", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED"] as const) {
    const error = transportError({ code: Status[name], details: "no" }, call, "db:1");
    assertEquals([error.code, error.status, error.retryable], [0, name, false]);
  }
});
