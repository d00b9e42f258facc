import { assertEquals } from "@std/assert";
import {
  annotationsOf,
  leaseOf,
  leaseText,
  type LedgerState,
  stateOf,
} from "../../../src/distil/ledger_state.ts";

const STATE: LedgerState = {
  name: "x y",
  version: "1 2",
  lookback: 5n,
  lookahead: 0n,
  inputs: [
    { name: "a", uuid: "u1", done: 11n, mark: "3:-1.5:2e300", target: 12n },
    { name: "b", uuid: "u2", done: 0n, mark: "", target: 10n },
  ],
  outputs: [{ name: "c", uuid: "u3", version: 20n, mark: "" }],
  at: -5n,
};

function applied(present: Record<string, string>, changes: Record<string, string | null>) {
  const next = { ...present };
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete next[key];
    else next[key] = value;
  }
  return next;
}

Deno.test("stateOf: reads what annotationsOf wrote, and annotationsOf writes what has changed only", () => {
  const first = applied({ note: "kept" }, annotationsOf(STATE, { note: "kept" }));
  assertEquals(stateOf(first), STATE);
  assertEquals(first["note"], "kept");
  assertEquals(annotationsOf(STATE, first), {});
  const next = { ...STATE, at: undefined, inputs: STATE.inputs.slice(0, 1) };
  assertEquals(annotationsOf(next, first), { "distil.at": null, "distil.in.1": null });
  assertEquals(stateOf(applied(first, annotationsOf(next, first))), next);
});

Deno.test("stateOf: notes that are missing or damaged are no state", () => {
  const whole = applied({}, annotationsOf(STATE, {}));
  for (
    const key of ["distil.name", "distil.version", "distil.reach", "distil.in.0", "distil.out.0"]
  ) {
    assertEquals(stateOf(applied(whole, { [key]: null })), undefined, key);
  }
  const damages = { "distil.reach": "5", "distil.in.0": "a u1 11", "distil.in.1": "b u2 x - 0" };
  for (const [key, value] of Object.entries({ ...damages, "distil.at": "soon" })) {
    assertEquals(stateOf({ ...whole, [key]: value }), undefined, key);
  }
  assertEquals(stateOf({}), undefined);
});

Deno.test("leaseOf: reads what leaseText wrote", () => {
  const lease = { owner: "abc", epoch: 7n, expiresMs: 1_700_000_000_000 };
  assertEquals(leaseOf({ "distil.lease": leaseText(lease) }), lease);
  for (const text of ["", "abc", "abc x 5", "abc 5 soon"]) {
    assertEquals(leaseOf({ "distil.lease": text }), undefined, text);
  }
  assertEquals(leaseOf({}), undefined);
});
