/**
 * Memory of columns of pixels, used again from view to view: to find new memory in each frame of a
 * drag takes as long as to read the windows, and the collector runs in every other frame.
 *
 * @module
 */

import { roomOf } from "../../plot/figure/pixel_columns.ts";

/** Memory of the columns of one view after another. Those of a view last until the next but one. */
export class ColumnRooms {
  #free: Float64Array[] = [];
  #before: Float64Array[] = [];
  #now: Float64Array[] = [];

  /** Begins a view: the memory of the one before last is free. */
  begin(): void {
    [this.#free, this.#before, this.#now] = [this.#before, this.#now, []];
  }

  /** Memory for so many columns of the view. */
  take(length: number): Float64Array {
    let room = this.#free.pop();
    if (room === undefined || room.length !== roomOf(length)) {
      room = new Float64Array(roomOf(length));
    }
    this.#now.push(room);
    return room;
  }
}
