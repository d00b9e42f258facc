/**
 * The messages of a lookup in parts, each decoded in a turn of its own: a server may put thousands of
 * streams with all their tags into one message.
 *
 * @module
 */

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { giveWay } from "../../core/pacer.ts";
import type { CallSpec, OpenCall } from "../call/caller.ts";
import { decoded } from "../errors.ts";
import type { Rpc } from "../transport/rpc.ts";

/** Bytes of a part, unless one stream has more; to decode it takes some milliseconds. */
const PART_BYTES = 1 << 16;

/** One try of a lookup. */
export class LookupParts implements OpenCall {
  readonly #call: OpenCall;
  readonly #spec: CallSpec;
  readonly #check: (message: Uint8Array) => void;
  #parts: Uint8Array[] = [];

  /** @param check Throws if a message has more than it may have in all. */
  constructor(call: OpenCall, spec: CallSpec, check: (message: Uint8Array) => void) {
    this.#call = call;
    this.#spec = spec;
    this.#check = check;
  }

  get rpc(): Rpc {
    return this.#call.rpc;
  }

  /** The next part; `undefined` after the last. */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#parts.length > 0) await giveWay();
    else {
      const bytes = await this.#call.read();
      if (bytes === undefined || bytes.length <= PART_BYTES) return bytes;
      this.#parts = decoded(this.#spec, () => {
        this.#check(bytes);
        return partsOf(bytes);
      }).reverse();
    }
    return this.#parts.pop();
  }

  end(): void {
    this.#call.end();
  }
}

/** Parts of a message between its fields, each of which is a message with some of them. */
function partsOf(bytes: Uint8Array): Uint8Array[] {
  const reader = new BinaryReader(bytes);
  const parts: Uint8Array[] = [];
  let from = 0;
  while (reader.pos < reader.len) {
    const [number, type] = reader.tag();
    reader.skip(type, number);
    if (reader.pos - from < PART_BYTES && reader.pos < reader.len) continue;
    parts.push(bytes.subarray(from, reader.pos));
    from = reader.pos;
  }
  return parts;
}
