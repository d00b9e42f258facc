/**
 * Finds frames that are read by a configuration which they say is no longer in use.
 *
 * @module
 */

import type { Configuration } from "./configuration.ts";
import { STAT_CONFIGURATION_CHANGE } from "./data_frame.ts";
import type { RawDataFrame } from "./frame_decoder.ts";
import { HEADER_BYTES } from "./frame_header.ts";

/**
 * Follows the status bit that announces a change of the configuration: it falls when the change takes
 * effect. Frames from then on have the new form, though its configuration may come later or never.
 */
export class ConfigurationChanges {
  readonly #states = new WeakMap<Configuration, "announced" | "changed">();

  /** Takes a configuration that came, for the first time or again. */
  came(configuration: Configuration): void {
    this.#states.delete(configuration);
  }

  /** Tells whether a change of a configuration is announced, and has not taken effect. */
  isAnnounced(configuration: Configuration): boolean {
    return this.#states.get(configuration) === "announced";
  }

  /** Tells whether a data frame comes between a change and the configuration after it. */
  isOutdated({ layout: { configuration, stations }, view, start }: RawDataFrame): boolean {
    let at = start + HEADER_BYTES;
    let isAnnounced = false;
    for (const { bytes } of stations) {
      if (view.getUint16(at) & STAT_CONFIGURATION_CHANGE) isAnnounced = true;
      at += bytes;
    }
    const state = this.#states.get(configuration);
    if (isAnnounced) {
      if (state === undefined) this.#states.set(configuration, "announced");
    } else if (state === "announced") this.#states.set(configuration, "changed");
    return !isAnnounced && state !== undefined;
  }
}
