import { assertEquals, assertThrows } from "@std/assert";
import { addressOf, isLoopback, limitsOf } from "../../../src/server/options.ts";

const apiKeys = [{ key: "k", capabilities: ["read"] as const }];
const tls = { cert: "cert.pem", key: "key.pem" };

Deno.test("addressOf stays on this machine without keys", () => {
  assertEquals(addressOf({}), { hostname: "127.0.0.1", port: 4410 });
  assertEquals(addressOf({ tls }), { hostname: "127.0.0.1", port: 4411 });
  assertEquals(addressOf({ hostname: "::1", port: 0 }), { hostname: "::1", port: 0 });
  assertEquals(addressOf({ hostname: "[::1]", port: 0 }), { hostname: "::1", port: 0 });
  const error = assertThrows(() => addressOf({ hostname: "0.0.0.0" }), TypeError);
  assertEquals(
    error.message,
    'Cannot serve at "0.0.0.0" without API keys: expected a loopback address, apiKeys, or ' +
      'allowPublic (docs/server.md, "Keys")',
  );
  assertThrows(() => addressOf({ hostname: "0.0.0.0", apiKeys: [] }), TypeError);
});

Deno.test("addressOf goes beyond this machine with keys, or when told to", () => {
  assertEquals(addressOf({ apiKeys }).hostname, "0.0.0.0");
  assertEquals(addressOf({ hostname: "0.0.0.0", allowPublic: true }).hostname, "0.0.0.0");
});

Deno.test("addressOf refuses ports that are none", () => {
  for (const port of [-1, 65_536, 1.5, NaN]) assertThrows(() => addressOf({ port }), RangeError);
  assertThrows(() => addressOf({ metricsPort: 70_000 }), RangeError);
});

Deno.test("isLoopback knows the names of this machine", () => {
  for (const name of ["localhost", "127.0.0.1", "127.1.2.3", "::1"]) {
    assertEquals(isLoopback(name), true);
  }
  for (const name of ["0.0.0.0", "::", "10.0.0.1", "example.org", "127.0.0.1.example.org"]) {
    assertEquals(isLoopback(name), false);
  }
});

Deno.test("limitsOf fills in the defaults and refuses what is no limit", () => {
  assertEquals(limitsOf().insertPointsV4, 25_000);
  assertEquals(limitsOf({ concurrentCalls: 3 }).concurrentCalls, 3);
  assertEquals(limitsOf({ waitingCalls: 0 }).waitingCalls, 0);
  const error = assertThrows(() => limitsOf({ concurrentCalls: 0 }), RangeError);
  assertEquals(
    error.message,
    "Cannot serve: limits.concurrentCalls is 0, expected 1 to 2147483647",
  );
});
