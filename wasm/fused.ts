// Multiplication and addition of two doubles at a time, in one step where the module is built for it.
//
// With relaxed SIMD a product is added without being rounded first, on every processor that has such
// an instruction. Where it has none the module for it is not used: see isFused.

/** True in the module that is built for fused multiplication and addition. */
// @ts-ignore: a constant of the compiler
@inline export const FUSED: bool = ASC_FEATURE_RELAXED_SIMD;

/** `a b + c`. */
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (FUSED) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

/** `c - a b`. */
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (FUSED) return f64x2.relaxed_nmadd(a, b, c);
  return f64x2.sub(c, f64x2.mul(a, b));
}

/** Numbers whose product is 1 - 2^-60, which rounds to 1, and that 1. */
const PROBE: usize = memory.data<f64>([
  1.000000000931322574615478515625, 0.999999999068677425384521484375, 1,
], 16);

/** Tells whether this module, on this processor, rounds once where it multiplies and adds. */
export function isFused(): bool {
  const product = madd(v128.load64_splat(PROBE), v128.load64_splat(PROBE, 8), f64x2.neg(v128.load64_splat(PROBE, 16)));
  return f64x2.extract_lane(product, 0) != 0;
}
