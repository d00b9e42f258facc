/**
 * A thread that opens a database and closes it, whether it gets it or not. It is sent the options, and
 * answers with "open" or the status of the error.
 *
 * @module
 */

import { BTrDBError } from "../../src/core/errors.ts";
import { openEngine } from "../../src/engine/mod.ts";
import type { EngineOptions } from "../../src/engine/options.ts";

declare const self: {
  onmessage: (event: MessageEvent<EngineOptions>) => void;
  postMessage(status: string): void;
};

async function statusOf(options: EngineOptions): Promise<string> {
  try {
    await (await openEngine(options)).close();
    return "open";
  } catch (error) {
    if (error instanceof BTrDBError) return error.status;
    throw error;
  }
}

self.onmessage = async ({ data }) => self.postMessage(await statusOf(data));
