/**
 * Tiles that are here, bounded in bytes: what was not looked at for longest goes first.
 *
 * @module
 */

import { keyOf, type Tile, TILE_BITS, type TilePiece } from "./tile.ts";

/** Pointwidths above that of the view in which coarser tiles are looked for. */
const COARSER = 12;

/** Pointwidths below that of the view in which finer tiles are looked for: 2 + 4 + 8 tiles. */
const FINER = 3;

/** The store. */
export class TileStore {
  readonly #maxBytes: number;
  /** In the order in which they were used. */
  readonly #tiles = new Map<string, Tile>();
  #bytes = 0;

  /** @param maxBytes Largest size of all tiles. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Size of all tiles, bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Tells whether a tile is here and nothing was written to it since. */
  isFresh(key: string): boolean {
    return this.#tiles.get(key)?.isStale === false;
  }

  /** The tile of a piece; it counts as used. */
  find(piece: TilePiece): Tile | undefined {
    const key = keyOf(piece);
    const tile = this.#tiles.get(key);
    if (tile === undefined) return undefined;
    this.#tiles.delete(key);
    this.#tiles.set(key, tile);
    return tile;
  }

  /** Coarser or finer tiles to draw in place of a piece that is not here. */
  findInstead(piece: TilePiece): Tile[] {
    const coarser = this.#coarser(piece);
    return coarser === undefined ? this.#finer(piece) : [coarser];
  }

  /** The finest tile that holds a piece, of a coarser pointwidth. */
  #coarser({ uuid, version, pointwidth, index }: TilePiece): Tile | undefined {
    for (let up = 1; up <= COARSER; up++) {
      const above = { uuid, version, pointwidth: pointwidth + up, index: index >> BigInt(up) };
      const tile = this.find(above);
      if (tile !== undefined) return tile;
    }
    return undefined;
  }

  /** Tiles of a piece in the coarsest pointwidth below its own: the view was closer before. */
  #finer({ uuid, version, pointwidth, index }: TilePiece): Tile[] {
    for (let down = 1; down <= Math.min(FINER, pointwidth); down++) {
      const tiles: Tile[] = [];
      const first = index << BigInt(down);
      for (let i = 0n; i < 1n << BigInt(down); i++) {
        const tile = this.find({ uuid, version, pointwidth: pointwidth - down, index: first + i });
        if (tile !== undefined) tiles.push(tile);
      }
      if (tiles.length > 0) return tiles;
    }
    return [];
  }

  /** Keeps a tile, in place of the one with its key. */
  put(key: string, tile: Tile): void {
    this.#bytes += tile.bytes - (this.#tiles.get(key)?.bytes ?? 0);
    this.#tiles.delete(key);
    this.#tiles.set(key, tile);
  }

  /** Drops tiles until the rest is no larger than it may be. */
  trim(): void {
    for (const [key, { bytes }] of this.#tiles) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#tiles.delete(key);
      this.#bytes -= bytes;
    }
  }

  /**
   * Marks tiles of the latest version as outdated.
   *
   * @param uuid Stream; every one if undefined.
   * @param start Start of the range that changed, ns since the Unix epoch.
   * @param end End of that range.
   */
  invalidate(uuid: string | undefined, start: bigint, end: bigint): void {
    for (const [key, tile] of this.#tiles) {
      const [id, version, pointwidth, index] = key.split("/") as [string, string, string, string];
      if (version !== "0" || (uuid !== undefined && id !== uuid)) continue;
      const shift = BigInt(Number(pointwidth) + TILE_BITS);
      const from = BigInt(index) << shift;
      if (from < end && from + (1n << shift) > start) tile.isStale = true;
    }
  }
}
