/**
 * Sine and cosine to 250 bits by integer arithmetic, and the distance of doubles from them.
 *
 * @module
 */

/** Bits after the point. */
const BITS = 1400n;
const WORK = 250n;
const ONE = 1n << WORK;

/** Arctangent of 1/n in fixed point of `bits` bits. */
function arctanOf(n: bigint, bits: bigint): bigint {
  let term = (1n << bits) / n, sum = term;
  for (let k = 3n, sign = -1n; term !== 0n; k += 2n, sign = -sign) {
    term /= n * n;
    sum += sign * (term / k);
  }
  return sum;
}

/** Pi by Machin's formula, in fixed point of BITS bits. */
const PI = 4n * (4n * arctanOf(5n, BITS + 20n) - arctanOf(239n, BITS + 20n)) >> 20n;

/** A finite double in fixed point of BITS bits, exact down to the smallest. */
function fixed(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const mantissa = exponent === 0n
    ? bits & 0xfffffffffffffn
    : (bits & 0xfffffffffffffn) | 1n << 52n;
  const shift = BITS - 1074n + (exponent === 0n ? 0n : exponent - 1n);
  const value = mantissa << shift;
  return x < 0 || Object.is(x, -0) ? -value : value;
}

/** Sine and cosine of a fixed-point angle of at most pi/4, in fixed point of WORK bits more. */
function series(angle: bigint): { sine: bigint; cosine: bigint } {
  const bits = WORK * 2n;
  const x = angle >> (BITS - bits);
  let term = 1n << bits;
  const sums = [term, 0n];
  for (let k = 1n; term !== 0n; k++) {
    term = (term * x >> bits) / k;
    const sign = (k >> 1n) % 2n === 0n ? 1n : -1n;
    sums[Number(k % 2n)]! += sign * term;
  }
  return { sine: sums[1]!, cosine: sums[0]! };
}

/**
 * Distance, in units in the last place, of two doubles from the sine and cosine of an angle.
 *
 * @param x The angle, finite.
 * @param degrees True if in degrees.
 */
export function ulpsOff(
  x: number,
  degrees: boolean,
  sine: number,
  cosine: number,
): [sine: number, cosine: number] {
  const angle = degrees ? fixed(x) * PI / 180n >> BITS : fixed(x);
  const halfPi = PI / 2n;
  let quarters = (2n * angle + halfPi) / (2n * halfPi);
  if (quarters * halfPi - angle > halfPi / 2n) quarters--;
  if (angle - quarters * halfPi > halfPi / 2n) quarters++;
  const { sine: s, cosine: c } = series(angle - quarters * halfPi);
  const turn = Number(((quarters % 4n) + 4n) % 4n);
  const exactSine = [s, c, -s, -c][turn]!, exactCosine = [c, -s, -c, s][turn]!;
  return [off(sine, exactSine), off(cosine, exactCosine)];
}

/** |got − exact| in units of the last place of the exact value. */
function off(got: number, exact: bigint): number {
  const bits = WORK * 2n;
  const difference = (fixed(got) >> (BITS - bits)) - exact;
  const size = exact < 0n ? -exact : exact;
  if (size === 0n) return difference === 0n ? 0 : Infinity;
  const ulp = 1n << BigInt(Math.max(0, size.toString(2).length - 53));
  return Number((difference < 0n ? -difference : difference) * ONE / ulp) / Number(ONE);
}
