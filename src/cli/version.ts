/**
 * The version of the program.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };

/** Version of the package, e.g. `"0.1.0"`. */
export const VERSION: string = config.version;
