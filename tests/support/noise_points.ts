/** Points whose values do not compress, so that answers with them are as long as they look. */

/** Time between two of them, ns. */
export const NOISE_STEP = 1_000n;

/** Points from time 0 on. */
export function noisePoints(count: number): { times: BigInt64Array; values: Float64Array } {
  const times = new BigInt64Array(count);
  const bits = new Uint32Array(2 * count);
  let state = 1;
  for (let i = 0; i < count; i++) {
    state = Math.imul(state, 1_664_525) + 1_013_904_223 >>> 0;
    times[i] = BigInt(i) * NOISE_STEP;
    bits[2 * i] = state;
    bits[2 * i + 1] = 0x3ff0_0000 | state >>> 12;
  }
  return { times, values: new Float64Array(bits.buffer) };
}
