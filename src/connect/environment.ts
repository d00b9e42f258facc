/**
 * Environment variables on every runtime, even if reading them is not permitted.
 *
 * @module
 */

import process from "node:process";

/** Environment variables of the process. */
export interface Environment {
  /** The value, or `undefined` where it is unset, empty, or may not be read. */
  get(name: string): string | undefined;
  /** Variables that may not be read. */
  readonly denied: ReadonlySet<string>;
}

/** The environment of this process. Deno without `--allow-env` refuses some or all of it. */
export function processEnvironment(): Environment {
  const denied = new Set<string>();
  return {
    denied,
    get(name: string): string | undefined {
      try {
        return process.env[name] || undefined;
      } catch {
        denied.add(name);
        return undefined;
      }
    },
  };
}
