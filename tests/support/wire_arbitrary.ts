/**
 * Messages with points for properties: as encoders write them, as the encoding allows them, and
 * broken ones.
 *
 * @module
 */

import fc from "fast-check";
import { field } from "./wire_reference.ts";

const bits = fc.oneof(
  fc.constantFrom(0n, 1n << 63n, 0x7ff8000000000001n, (1n << 64n) - 1n),
  fc.bigInt(0n, (1n << 64n) - 1n),
);
const padding = fc.oneof(fc.constant(0), fc.nat(4));

/** A field nobody knows, groups within groups among them. */
const unknownField: fc.Arbitrary<number[]> =
  fc.letrec<{ any: number[]; leaf: number[] }>((tie) => ({
    leaf: fc.oneof(
      fc.tuple(fc.integer({ min: 7, max: 536_870_911 }), fc.constantFrom(0, 1, 5), bits, padding)
        .map(([number, wire, value, pad]) => field(number, wire, value, pad)),
      fc.tuple(fc.integer({ min: 7, max: 3000 }), fc.array(fc.nat(255), { maxLength: 20 }), padding)
        .map(([number, value, pad]) => field(number, 2, value, pad)),
    ),
    any: fc.oneof(
      { maxDepth: 4 },
      tie("leaf"),
      fc.tuple(fc.integer({ min: 7, max: 300 }), fc.array(tie("any"), { maxLength: 3 }), padding)
        .map(([number, inner, pad]) => field(number, 3, inner.flat(), pad)),
    ),
  })).any;

/** A point as a plain encoder writes it: in order, zeros left out. */
export function plainPoint(known: number): fc.Arbitrary<number[]> {
  return fc.array(bits, { minLength: known, maxLength: known }).map((values) =>
    values.flatMap((value, k) => value === 0n ? [] : field(k + 1, 1, value))
  );
}

/** A point in any form: fields in any order, more than once, of the wrong type, unknown ones. */
export function anyPoint(known: number): fc.Arbitrary<number[]> {
  const number = fc.integer({ min: 1, max: known });
  const proper = fc.tuple(number, bits, padding).map(([n, v, pad]) => field(n, 1, v, pad));
  const wrongType = fc.tuple(number, fc.constantFrom(0, 5), bits).map(([n, w, v]) =>
    field(n, w, v)
  );
  return fc.array(
    fc.oneof({ weight: 6, arbitrary: proper }, { weight: 1, arbitrary: wrongType }, {
      weight: 2,
      arbitrary: unknownField,
    }),
    { maxLength: 9 },
  ).map((all) => all.flat());
}

const status = fc.tuple(fc.nat(), fc.string(), padding).map(([code, message, pad]) =>
  field(1, 2, [
    ...field(1, 0, BigInt(code), pad),
    ...field(2, 2, [...new TextEncoder().encode(message)], pad),
  ])
);

/** A response whose points are mostly plain, in runs, with everything else in between. */
export function response(known: number): fc.Arbitrary<Uint8Array> {
  const plain = fc.array(plainPoint(known), { maxLength: 12 }).map((all) =>
    all.flatMap((point) => field(4, 2, point))
  );
  const any = fc.tuple(anyPoint(known), padding).map(([point, pad]) => field(4, 2, point, pad));
  const version = fc.tuple(fc.constantFrom(2, 3), bits, padding).map(([n, v, pad]) =>
    field(n, 0, v, pad)
  );
  const wrongType = fc.tuple(fc.constantFrom(1, 4), bits).map(([n, v]) => field(n, 1, v));
  return fc.array(
    fc.oneof(plain, any, version, status, unknownField, wrongType),
    { maxLength: 12 },
  ).map((parts) => Uint8Array.from(parts.flat()));
}

/** Bytes cut off, changed or put in: mostly not protobuf any more. */
export function broken(message: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(), fc.constantFrom("cut", "set", "insert"), fc.nat(255));
  return fc.tuple(message, fc.array(change, { minLength: 1, maxLength: 3 })).map(
    ([bytes, changes]) => {
      let out = [...bytes];
      for (const [where, how, byte] of changes) {
        const at = out.length === 0 ? 0 : where % out.length;
        if (how === "cut") out = out.slice(0, at);
        else out.splice(at, how === "set" ? 1 : 0, byte);
      }
      return Uint8Array.from(out);
    },
  );
}
