import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Capability, KeyRing } from "../../../src/server/keys.ts";
import { GrpcFailure } from "../../../src/server/transport/status.ts";
import { cpuMs } from "../../support/cpu_ms.ts";

const READ: Capability[] = ["read"];
const RING = new KeyRing([
  { key: "alpha", capabilities: READ },
  { key: "beta", capabilities: ["read", "insert"], collectionPrefixes: ["pmu/"] },
], undefined);

Deno.test("KeyRing without keys lets everybody do everything", () => {
  const ring = new KeyRing([], undefined);
  assertEquals(ring.grantOf(undefined).capabilities.length, 5);
  assertEquals(ring.grantOf("bearer whatever").capabilities.length, 5);
});

Deno.test("KeyRing finds the grant of a key, in any case of the scheme", () => {
  for (const scheme of ["bearer", "Bearer", "BEARER"]) {
    assertEquals(RING.grantOf(`${scheme} beta`).collectionPrefixes, ["pmu/"]);
  }
});

Deno.test("KeyRing gives callers without a key nothing, or what anonymous may", () => {
  assertEquals(RING.grantOf(undefined).capabilities, []);
  const open = new KeyRing([{ key: "alpha", capabilities: READ }], { capabilities: READ });
  assertEquals(open.grantOf(undefined).capabilities, READ);
});

for (
  const wrong of ["bearer alph", "bearer alphaa", "bearer ", "alpha", "basic alpha", "bearer ALPHA"]
) {
  Deno.test(`KeyRing refuses ${JSON.stringify(wrong)}`, () => {
    const error = assertThrows(() => RING.grantOf(wrong), GrpcFailure);
    assertEquals([error.code, error.message], [16, "invalid api key"]);
  });
}

Deno.test("KeyRing refuses keys that no header can carry, and unknown capabilities", () => {
  assertThrows(() => new KeyRing([{ key: "", capabilities: READ }], undefined), TypeError);
  assertThrows(() => new KeyRing([{ key: "a b", capabilities: READ }], undefined), TypeError);
  const capabilities = ["write" as Capability];
  const error = assertThrows(() => new KeyRing([{ key: "a", capabilities }], undefined), TypeError);
  assertEquals(
    error.message,
    'Cannot use an API key: "write" is not a capability, expected one of read, insert, delete, ' +
      "obliterate, admin",
  );
});

Deno.test("KeyRing: a text is compared once, right or wrong, and what is too long never", () => {
  const ring = new KeyRing([{ key: "alpha", capabilities: READ }], undefined);
  for (let i = 0; i < 3; i++) {
    assertEquals(ring.isKnown("bearer alpha"), true);
    assertEquals(ring.grantOf("bearer alpha").capabilities, READ);
    assertEquals(ring.isKnown("bearer beta"), false);
    assertThrows(() => ring.grantOf("bearer beta"), GrpcFailure);
    assertThrows(() => ring.grantOf(`bearer ${"alpha".repeat(10_000)}`), GrpcFailure);
  }
  // However many wrong ones come in between, the right one is found.
  for (let i = 0; i < 5_000; i++) assertEquals(ring.isKnown(`bearer ${i}`), false);
  assertEquals(ring.isKnown("bearer alpha"), true);
});

// The stack was too small for 200,000 of them, and a wrong key was compared with each.
Deno.test("KeyRing takes hundreds of thousands of keys", () => {
  const keys = Array.from({ length: 200_000 }, (_, i) => ({ key: `k${i}`, capabilities: READ }));
  const ring = new KeyRing(keys, undefined);
  assertEquals(ring.grantOf("bearer k199999"), keys[199_999]);
  const guess = () => {
    for (let i = 0; i < 1_000; i++) ring.isKnown(`bearer x${i}`);
  };
  assert(cpuMs(guess) < 1_000);
});
