/**
 * Makes files of µPMUs, byte by byte as `sync_output` of the PQube 3 has them.
 *
 * @module
 */

/** A block of one second. */
export interface MadeBlock {
  /** Year, month, day, hour, minute, second. */
  date: readonly number[];
  /** Distance of the readings, ms. @default {8.333333} */
  intervalMs?: number;
  /** True if power and frequency follow. */
  isExpanded?: boolean;
  /** Value of reading `i` of series `k`, 0 to 18 in the order of the file. */
  value?: (k: number, i: number) => number;
}

/**
 * Value of reading `i` of series `k` by default; exact in single precision. The series are angle and
 * magnitude of L1, L2, L3, C1, C2, C3, then W, VAR, VA, DPF and both frequencies.
 */
export function madeValue(k: number, i: number): number {
  return 1000 * k + i / 8;
}

/** The bytes of some blocks. */
export function upmuFile(blocks: readonly MadeBlock[]): Uint8Array<ArrayBuffer> {
  const size = (block: MadeBlock): number => block.isExpanded ? 9192 : 6312;
  const bytes = new Uint8Array(blocks.reduce((sum, block) => sum + size(block), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  const float = (value: number): void => {
    view.setFloat32(at, value, true);
    at += 4;
  };
  const integer = (value: number): void => {
    view.setInt32(at, value, true);
    at += 4;
  };
  for (const { date, intervalMs = 8.333333, isExpanded = false, value = madeValue } of blocks) {
    float(intervalMs);
    for (const part of date) integer(part);
    for (let i = 0; i < 120; i++) integer((isExpanded ? 0x20 : 0) + i % 16);
    for (let phase = 0; phase < 6; phase++) {
      for (let i = 0; i < 120; i++) {
        float(value(2 * phase, i));
        float(value(2 * phase + 1, i));
      }
    }
    for (let i = 0; i < 4; i++) integer(i);
    for (let i = 0; i < 7; i++) float(0.5);
    for (let k = 12; isExpanded && k < 18; k++) {
      for (let i = 0; i < 120; i++) float(value(k, i));
    }
  }
  return bytes;
}
