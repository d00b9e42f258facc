/**
 * Peers with native add-ons. Deno's own resolver wants their packages for every platform, so npm
 * installs them, apart from the project: `deno task bench:peers`.
 *
 * @module
 */

import { createRequire } from "node:module";

const require = createRequire(new URL("../peers/package.json", import.meta.url));

/**
 * A peer's module.
 *
 * @param name Package name.
 * @returns Its exports; `undefined` where it is not installed or its add-on does not load.
 */
// deno-lint-ignore no-explicit-any -- modules without types here
export function peer(name: string): any {
  try {
    return require(name);
  } catch {
    return undefined;
  }
}

/** Message for missing peers. */
export function missing(names: readonly string[]): string {
  return `without ${names.join(" and ")}, which is not installed (deno task bench:peers)`;
}
