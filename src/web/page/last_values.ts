/**
 * Last values of streams, read for those whose rows are in sight.
 *
 * @module
 */

import type { NamedStream } from "../../client/named_stream.ts";
import { valueText } from "./number_text.ts";

/** Time after which a value is read again, ms. */
const FRESH_MS = 15_000;

/** Values read at the same time. */
const CONCURRENCY = 3;

/** Pause before reading, so that scrolling asks for nothing, ms. */
const PAUSE_MS = 200;

interface Entry {
  text: string | undefined;
  readMs: number;
}

/** Reads last values. */
export class LastValues {
  readonly #known = new Map<string, Entry>();
  readonly #onChange: () => void;
  #wanted: readonly NamedStream[] = [];
  #running = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** The last value of a stream, if it is known. */
  textOf({ uuid }: NamedStream): string | undefined {
    return this.#known.get(uuid)?.text;
  }

  /** Reads the values of these streams, and no longer those of others. */
  want(streams: readonly NamedStream[]): void {
    this.#wanted = streams;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#start(), PAUSE_MS);
  }

  #start(): void {
    const now = Date.now();
    while (this.#running < CONCURRENCY) {
      const next = this.#wanted.find(({ uuid }) =>
        now - (this.#known.get(uuid)?.readMs ?? -Infinity) > FRESH_MS
      );
      if (next === undefined) return;
      void this.#read(next);
    }
  }

  async #read(named: NamedStream): Promise<void> {
    this.#running++;
    const entry = this.#known.get(named.uuid) ?? { text: undefined, readMs: 0 };
    entry.readMs = Date.now();
    this.#known.set(named.uuid, entry);
    try {
      const point = await named.stream.latest();
      const text = point === null ? undefined : valueText(point.value);
      if (text !== entry.text) {
        entry.text = text;
        this.#onChange();
      }
    } catch {
      // Its row shows the unit alone.
    } finally {
      this.#running--;
      this.#start();
    }
  }
}
