/**
 * Thread of {@linkcode LeafPacker}.
 *
 * @module
 */

import { parentPort } from "node:worker_threads";
import { packLeaves } from "./pack_leaves.ts";
import { PackingDesk } from "./packing_desk.ts";

parentPort!.on("message", (memory: SharedArrayBuffer) => packLeaves(new PackingDesk(memory)));
