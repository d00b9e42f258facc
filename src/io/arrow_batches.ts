/**
 * Record batches of Arrow IPC streams and files, decoded with the schema and with the dictionaries
 * that are valid at their place.
 *
 * @module
 */

import { Column, Table } from "@uwdata/flechette";
import { decode } from "../arrow/decode_ipc.ts";
import { invalid } from "../arrow/arrow_error.ts";
import { concatBytes } from "../core/bytes.ts";
import { END_OF_STREAM, type Message, messagesOf } from "./arrow_messages.ts";

/** Schema and dictionaries up to this size are decoded with each batch, so that none has to wait. */
const SMALL_BYTES = 2 ** 14;

/** Most bytes of larger ones that are decoded again because dictionaries change. */
const MAX_REPEATED_BYTES = 2 ** 32;

/**
 * The record batches of an IPC stream or file, each as a table.
 *
 * @param source Its bytes, in pieces of any size.
 * @param onNoEnd Called if it ends without the mark of its end, as a stream may.
 * @throws {BTrDBError} 438 if it cannot be decoded.
 */
export async function* batchesOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onNoEnd?: () => void,
): AsyncGenerator<Table, void, void> {
  const head = new ArrowHead();
  let group: Message[] = [];
  let bytes = 0;
  let isKnown = false;
  /** True if a dictionary stands behind the last batch. */
  let isLeft = false;
  for await (const message of messagesOf(source, onNoEnd)) {
    if (message.kind === "file") {
      isKnown = true;
      yield* batchesIn(decode(message.bytes));
      continue;
    }
    if (message.kind === "batch") {
      group.push(message);
      bytes += message.bytes.length;
      if (bytes < head.groupBytes) continue;
    }
    if (group.length > 0) yield* batchesIn(head.decode(group));
    if (message.kind === "schema" && isKnown) throw invalid("there is a second schema");
    if (message.kind !== "batch") head.add(message);
    isKnown = true;
    isLeft = message.kind === "dictionary";
    group = [];
    bytes = 0;
  }
  // What is no dictionary, but says so, could be a batch.
  if (group.length > 0 || isLeft) yield* batchesIn(head.decode(group));
  if (!isKnown) throw invalid("the bytes are no Arrow IPC stream");
}

/** The record batches of a table, each as one of its own. */
function* batchesIn(table: Table): Generator<Table, void, void> {
  const columns = table.schema.fields.map((_, i) => table.getChildAt(i) as Column<unknown>);
  for (let b = 0; b < (columns[0]?.data.length ?? 0); b++) {
    yield new Table(
      table.schema,
      columns.map(({ data, type }) => new Column([data[b]!], type)),
    );
  }
}

/** Schema and dictionaries. */
class ArrowHead {
  #messages: Message[] = [];
  #bytes = 0;
  #repeated = 0;

  /** Bytes of batches that are worth decoding schema and dictionaries with them. */
  get groupBytes(): number {
    return this.#bytes <= SMALL_BYTES ? 0 : this.#bytes;
  }

  /** Adds a schema, or a dictionary: in the place of one of its number, unless it adds to that. */
  add(message: Message): void {
    // The memory of the whole piece would stay otherwise.
    const own = { ...message, bytes: message.bytes.slice() };
    const { kind, id, isDelta } = message;
    const isOld = (other: Message) => kind === "schema" || (other.id === id && isDelta !== true);
    const place = this.#messages.findIndex(isOld);
    const kept = this.#messages.filter((other) => !isOld(other));
    kept.splice(place < 0 ? kept.length : place, 0, own);
    this.#messages = kept;
    this.#bytes = kept.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** Decodes batches. */
  decode(batches: readonly Message[]): Table {
    if (this.#messages.length === 0) throw invalid("a record batch stands before the schema");
    if (this.#bytes > SMALL_BYTES) this.#repeated += this.#bytes;
    if (this.#repeated > MAX_REPEATED_BYTES) {
      throw invalid(
        `its dictionaries change too often: ${this.#repeated} bytes of them are to be decoded, ` +
          `expected at most ${MAX_REPEATED_BYTES}`,
      );
    }
    const messages = [...this.#messages, ...batches].map(({ bytes }) => bytes);
    return decode(concatBytes([...messages, END_OF_STREAM]));
  }
}
