/** Thin stand-in for the tile cache. @module */

import type { BTrDB } from "../../client/btrdb.ts";
import { MAX_TIME, MIN_TIME } from "../../core/range.ts";

interface Tile {
  base: bigint;
  times: Float64Array;
  width: number;
  min: Float64Array;
  mean: Float64Array;
  max: Float64Array;
  count: Float64Array;
  raw: boolean;
}
export interface PixelColumns {
  readonly width: number;
  readonly min: Float64Array;
  readonly mean: Float64Array;
  readonly max: Float64Array;
  readonly count: Float64Array;
  /** Pixels further apart than this are a gap. */
  readonly reach: number;
  readonly isRaw: boolean;
  readonly isComplete: boolean;
  readonly pointwidth: number;
}
const BITS = 9;
export class TileSource {
  readonly #db: () => BTrDB;
  readonly #tiles = new Map<string, Tile>();
  readonly #loading = new Map<string, AbortController>();
  readonly #onTile: () => void;
  readonly #onError: (error: unknown) => void;
  constructor(db: () => BTrDB, onTile: () => void, onError: (error: unknown) => void) {
    this.#db = db;
    this.#onTile = onTile;
    this.#onError = onError;
  }
  get pending(): number {
    return this.#loading.size;
  }
  forget(uuid?: string): void {
    for (const key of this.#tiles.keys()) {
      if (uuid === undefined || key.startsWith(uuid)) this.#tiles.delete(key);
    }
  }
  columns(uuid: string, version: bigint, start: bigint, end: bigint, pixels: number): PixelColumns {
    const span = Number(end - start);
    const pointwidth = Math.max(0, Math.min(55, Math.floor(Math.log2(span / pixels))));
    const shift = BigInt(pointwidth + BITS);
    const out = {
      width: pixels,
      min: new Float64Array(pixels).fill(Infinity),
      max: new Float64Array(pixels).fill(-Infinity),
      mean: new Float64Array(pixels),
      count: new Float64Array(pixels),
      reach: 2,
      isRaw: false,
      isComplete: true,
      pointwidth,
    };
    const first = (start < MIN_TIME ? MIN_TIME : start) >> shift;
    const last = ((end > MAX_TIME ? MAX_TIME : end) - 1n) >> shift;
    for (let index = first; index <= last; index++) {
      const tile = this.#tile(uuid, version, pointwidth, index);
      const found = tile ?? this.#coarser(uuid, version, pointwidth, index);
      if (tile === undefined) out.isComplete = false;
      if (found !== undefined) {
        addTile(found, start, span, out, index << shift, (index + 1n) << shift);
      }
    }
    for (let i = 0; i < pixels; i++) if (out.count[i]! > 0) out.mean[i]! /= out.count[i]!;
    return out;
  }
  #key(uuid: string, version: bigint, pointwidth: number, index: bigint): string {
    return `${uuid}/${version}/${pointwidth}/${index}`;
  }
  #coarser(uuid: string, version: bigint, pointwidth: number, index: bigint): Tile | undefined {
    for (let up = 1; up <= 6; up++) {
      const tile = this.#tiles.get(this.#key(uuid, version, pointwidth + up, index >> BigInt(up)));
      if (tile !== undefined) return tile;
    }
    return undefined;
  }
  #tile(uuid: string, version: bigint, pointwidth: number, index: bigint): Tile | undefined {
    const key = this.#key(uuid, version, pointwidth, index);
    const tile = this.#tiles.get(key);
    if (tile === undefined && !this.#loading.has(key)) {
      const aborter = new AbortController();
      this.#loading.set(key, aborter);
      this.#load(uuid, version, pointwidth, index, aborter.signal)
        .then((loaded) => {
          this.#tiles.set(key, loaded);
          if (this.#tiles.size > 4000) this.#tiles.delete(this.#tiles.keys().next().value!);
        })
        .catch(this.#onError)
        .finally(() => {
          this.#loading.delete(key);
          this.#onTile();
        });
    }
    return tile;
  }
  async #load(
    uuid: string,
    version: bigint,
    pointwidth: number,
    index: bigint,
    signal: AbortSignal,
  ): Promise<Tile> {
    const shift = BigInt(pointwidth + BITS);
    const base = index << shift;
    const bounds = {
      start: base < MIN_TIME ? MIN_TIME : base,
      end: base + (1n << shift) > MAX_TIME ? MAX_TIME - 1n : base + (1n << shift),
    };
    const stream = this.#db().streamFromUUID(uuid);
    const options = { version, signal };
    const windows = await stream.alignedWindows(bounds.start, bounds.end, pointwidth, options)
      .collect();
    let points = 0;
    for (const n of windows.count) points += Number(n);
    if (points <= 2 << BITS) {
      const { times, values } = await stream.rawValues(bounds.start, bounds.end, options).collect();
      const offsets = Float64Array.from(times, (time) => Number(time - base));
      const count = new Float64Array(times.length).fill(1);
      return {
        base,
        times: offsets,
        width: 0,
        min: values,
        mean: values,
        max: values,
        count,
        raw: true,
      };
    }
    const times = Float64Array.from(windows.times, (time) => Number(time - base));
    const count = Float64Array.from(windows.count, Number);
    const { min, mean, max } = windows;
    return { base, times, width: 2 ** pointwidth, min, mean, max, count, raw: false };
  }
}
type Out = { -readonly [K in keyof PixelColumns]: PixelColumns[K] };
function addTile(
  tile: Tile,
  start: bigint,
  span: number,
  out: Out,
  low: bigint,
  high: bigint,
): void {
  const offset = Number(tile.base - start);
  const scale = out.width / span;
  const [from, to] = [Number(low - tile.base), Number(high - tile.base)];
  if (tile.raw) out.isRaw = true;
  let last = NaN;
  for (let i = 0; i < tile.times.length; i++) {
    const time = tile.times[i]!;
    if (time + tile.width <= from || time >= to) continue;
    if (time === last) continue;
    last = time;
    const x = Math.floor((offset + time + tile.width / 2) * scale);
    if (x < 0 || x >= out.width) continue;
    if (tile.min[i]! < out.min[x]!) out.min[x] = tile.min[i]!;
    if (tile.max[i]! > out.max[x]!) out.max[x] = tile.max[i]!;
    out.mean[x]! += tile.mean[i]! * tile.count[i]!;
    out.count[x]! += tile.count[i]!;
  }
  out.reach = Math.max(out.reach, tile.raw ? Infinity : 1.5 * Math.max(1, tile.width * scale) + 1);
}
