/**
 * Rows of BTrDB's CSV from columns that come piece by piece.
 *
 * @module
 */

import type { RawColumns, StatColumns } from "../core/columns.ts";
import { atOnce } from "../core/pacer.ts";
import { arena, reservationCount } from "./arena.ts";
import { checkRaw, checkStat } from "./arguments.ts";
import type { CsvKind, CsvNumbers } from "./csv_text.ts";
import {
  IMAGE_STREAMS,
  type MergeColumns,
  type MergeInput,
  MergePlan,
  planImage,
  type PlanMemory,
  turnOver,
} from "./merge_plan.ts";

/** Layout of rows. */
export interface CsvLayout {
  /** Kind of all streams. */
  readonly kind: CsvKind;
  /** Number of streams. */
  readonly streams: number;
  /** Format of doubles. */
  readonly numbers: CsvNumbers;
  /** Decimals of the seconds in the human-readable time. */
  readonly timeDigits: 0 | 9;
}

/** Bytes after which {@linkcode CsvWriter.next} begins no other row. */
const PIECE_BYTES = 1 << 20;

/** Bytes that take as long to write as it takes to look at a stream, and to copy its points in. */
const [STREAM_BYTES, LOAD_BYTES] = [50, 100];

/**
 * Merges streams into rows. Give it columns with `push` and say with `close` that a stream ends;
 * `next` gives bytes of whole rows until a stream that is not closed runs out of points.
 *
 * Holds the pushed columns until they are used up.
 */
export class CsvWriter {
  readonly #layout: CsvLayout;
  readonly #inputs: MergeInput[] = [];
  readonly #plan: MergePlan;
  #room: number;
  #rows = 0;
  /** True if the last rows ended because the next one might not have fitted. */
  #isTight = false;
  /** The count of reservations after its own last one. */
  #reservation = -1;
  /** Plan and points of very many streams. */
  readonly #image: PlanMemory | undefined;
  /** Loads until the image was last copied as a whole. */
  #copiedLoads = -1;
  #isPrepared = false;

  constructor(layout: CsvLayout) {
    const columns = layout.kind === "raw" ? 2 : 5;
    this.#layout = layout;
    this.#plan = new MergePlan(layout.streams, columns);
    this.#room = Math.max(PIECE_BYTES, 100 * layout.streams * (columns - 1));
    if (layout.streams > IMAGE_STREAMS) {
      const { bytes } = this.#plan;
      this.#image = planImage(arena(bytes).base, bytes);
    }
    const none = noColumns(columns);
    for (let s = 0; s < layout.streams; s++) {
      this.#inputs.push({ columns: none, done: 0, open: true });
    }
  }

  /** Rows given so far. */
  get rows(): number {
    return this.#rows;
  }

  /** True if `next` cannot go on: a stream that is not closed has no points left. */
  get isWaiting(): boolean {
    return this.#inputs.some((input) => input.open && input.done === input.columns[0]!.length);
  }

  /**
   * The streams that can take more columns: those that are not closed and have none beyond the ones
   * they are at. Filling all of them at once makes `next` wait less often.
   */
  hungry(): number[] {
    const hungry: number[] = [];
    this.#inputs.forEach((input, s) => {
      if (input.open && input.next === undefined) hungry.push(s);
    });
    return hungry;
  }

  /** The next points of a hungry stream, in order of time. */
  push(stream: number, columns: RawColumns | StatColumns): void {
    const input = this.#inputs[stream]!;
    input.next = columnsOf(this.#layout.kind, columns);
    turnOver(input);
    this.#isPrepared = false;
  }

  /** No more points will come for this stream. */
  close(stream: number): void {
    this.#inputs[stream]!.open = false;
    this.#isPrepared = false;
  }

  /**
   * Pushed columns that are not used up yet, for another writer that goes on: for each stream
   * its columns in order, and undefined after them where it is closed.
   */
  rest(): (RawColumns | StatColumns | undefined)[][] {
    const { kind } = this.#layout;
    return this.#inputs.map(({ columns, next, done, open }) => {
      const left = columns.map((column) => column.subarray(done));
      const some = [left, ...(next === undefined ? [] : [next])].filter(([times]) =>
        times!.length > 0
      );
      const named = some.map((columns) => namesOf(kind, columns));
      return open ? named : [...named, undefined];
    });
  }

  /**
   * Does what it can of the next rows in short steps: it copies points of very many streams. Without
   * it, that is done with the rows.
   */
  *prepare(): Generator<undefined, void> {
    if (this.#image === undefined || this.#isPrepared) return;
    yield* this.#plan.refreshInSteps(this.#image, this.#inputs);
    yield;
    this.#isPrepared = true;
  }

  /**
   * The next rows.
   *
   * @returns Bytes of their own; undefined if there are none until the waiting streams get points
   * or
   * are closed.
   */
  next(): Uint8Array<ArrayBuffer> | undefined {
    return this.pour((view) => view.slice());
  }

  /**
   * Hands the next rows to a function while they are in the memory of the kernel.
   *
   * @param take Gets the bytes, which are valid during the call only; it must not use the kernel.
   * @returns The result of `take`; undefined if there are no rows until the waiting streams get
   * points
   * or are closed.
   */
  pour<T>(take: (view: Uint8Array<ArrayBuffer>) => T): T | undefined {
    if (this.#layout.streams === 0) return undefined;
    const { loads } = this.#plan;
    for (;;) {
      const view = this.#fill(loads);
      if (view.length > 0) return take(view);
      if (!this.#isTight) return undefined;
      // Of numbers with 336 bytes, where 100 did not do.
      this.#room *= 4;
    }
  }

  /**
   * Makes rows.
   *
   * @param before Loads before this step.
   * @returns A view of them.
   */
  #fill(before: number): Uint8Array<ArrayBuffer> {
    const { kind, streams, numbers, timeDigits } = this.#layout;
    const plan = this.#plan;
    const image = this.#image;
    if (image !== undefined) atOnce(this.prepare());
    this.#isPrepared = false;
    const isAlone = reservationCount() === this.#reservation;
    const memory = arena(plan.bytes + this.#room);
    this.#reservation = reservationCount();
    const { base, exports } = memory;
    const start = base + plan.bytes;
    let copied = 0;
    if (image !== undefined) copied = this.#copyImage(image, memory, isAlone);
    else if (isAlone) plan.refresh(memory, this.#inputs);
    else plan.load(memory, this.#inputs);
    let at = start;
    for (;;) {
      const loaded = image === undefined ? plan.loads - before : 0;
      const others = STREAM_BYTES * (streams + copied) + LOAD_BYTES * loaded;
      at = exports.csvRows(
        base,
        plan.groups,
        streams,
        plan.stride,
        kind === "windows",
        numbers === "fixed6",
        timeDigits,
        at,
        start + Math.max(1, PIECE_BYTES - others),
        start + this.#room,
      );
      this.#rows += exports.csvRowCount();
      this.#isTight = exports.csvIsFull();
      if (this.#isTight || image !== undefined) break;
      if (!plan.advance(memory, this.#inputs)) break;
    }
    if (image !== undefined) image.u8.set(memory.u8.subarray(base, base + plan.planBytes), base);
    plan.save(image ?? memory, this.#inputs);
    return memory.u8.subarray(start, at);
  }

  /**
   * Copies the image into the kernel's memory, the plan alone if the points are there.
   *
   * @returns Streams whose points were copied.
   */
  #copyImage(image: PlanMemory, { u8, base }: PlanMemory, isAlone: boolean): number {
    const { loads, bytes, planBytes } = this.#plan;
    const isThere = isAlone && loads === this.#copiedLoads;
    u8.set(image.u8.subarray(base, base + (isThere ? planBytes : bytes)), base);
    this.#copiedLoads = loads;
    return isThere ? 0 : this.#layout.streams;
  }
}

function noColumns(n: number): BigInt64Array[] {
  return new Array<BigInt64Array>(n).fill(new BigInt64Array(0));
}

/** The columns in the order in which the kernel wants them. */
function columnsOf(kind: CsvKind, columns: RawColumns | StatColumns): MergeColumns {
  if (kind === "raw") {
    const raw = columns as RawColumns;
    checkRaw("write CSV", raw);
    return [raw.times, raw.values];
  }
  const stat = columns as StatColumns;
  checkStat("write CSV", stat);
  return [stat.times, stat.min, stat.mean, stat.max, stat.count];
}

/** The reverse of {@linkcode columnsOf}. */
function namesOf(kind: CsvKind, columns: MergeColumns): RawColumns | StatColumns {
  const [times, first, mean, max, count] = columns;
  const named = kind === "raw" ? { times, values: first } : { times, min: first, mean, max, count };
  return named as RawColumns | StatColumns;
}
