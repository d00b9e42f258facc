/**
 * The oldest entry of a map, at a cost that does not grow with the map.
 *
 * @module
 */

/**
 * Takes the oldest entries out of a map. An iterator that is made for each goes through the places of all
 * entries that were taken out since the map was laid out anew, which are as many as there are entries. One that
 * is kept for long keeps every layout that the map has had since. So it is kept for a while.
 */
export class OldestFirst<K, V> {
  readonly #map: ReadonlyMap<K, V>;
  #entries: MapIterator<[K, V]>;
  /** Entries that were added since the iterator was made. */
  #added = 0;

  /** @param map The map; who adds an entry calls {@linkcode OldestFirst.added}. */
  constructor(map: ReadonlyMap<K, V>) {
    this.#map = map;
    this.#entries = map.entries();
  }

  /** Notes that an entry was added, or moved to the end. */
  added(): void {
    if (++this.#added > this.#map.size) this.#begin();
  }

  /**
   * The oldest entry; `undefined` if the map is empty. The caller takes it out: this passes it.
   */
  next(): [K, V] | undefined {
    let entry = this.#entries.next();
    if (entry.done !== true) return entry.value;
    this.#begin();
    entry = this.#entries.next();
    return entry.done === true ? undefined : entry.value;
  }

  #begin(): void {
    this.#added = 0;
    this.#entries = this.#map.entries();
  }
}
