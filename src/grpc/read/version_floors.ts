/**
 * Corrects the stale version that 4.15 servers report after a delete until the next commit
 * (docs/protocol.md, "Quirks of real servers": `stale-major-after-delete`).
 *
 * @module
 */

import { uuidText } from "../../core/uuid.ts";
import type { Version } from "../../endpoint/endpoint.ts";

/** Streams remembered; the oldest is forgotten first. */
const MAX_STREAMS = 65_536;

/** The least major version a stream can have, for streams that were deleted from through us. */
export class VersionFloors {
  readonly #floors: Map<string, bigint> = new Map();

  /** Notes that a delete answered `version`. */
  raise(uuid: Uint8Array, version: Version): void {
    const key = uuidText(uuid);
    this.#floors.delete(key);
    this.#floors.set(key, version.major);
    if (this.#floors.size > MAX_STREAMS) {
      this.#floors.delete(this.#floors.keys().next().value!);
    }
  }

  /** Notes that the stream is gone. */
  forget(uuid: Uint8Array): void {
    this.#floors.delete(uuidText(uuid));
  }

  /** `version`, with a major that is not too low. */
  correct(uuid: Uint8Array, version: Version): Version {
    if (this.#floors.size === 0) return version;
    const key = uuidText(uuid);
    const floor = this.#floors.get(key);
    if (floor === undefined) return version;
    if (version.major < floor) return { major: floor, minor: version.minor };
    if (version.major > floor) this.#floors.delete(key);
    return version;
  }
}
