/**
 * The process that gets killed in the middle of a bulk load: `bulk_writer.ts PATH STREAMS` inserts long
 * pieces into all streams at once, without end, and writes `stream piece` to stdout after each that was
 * acknowledged.
 */

import { openEngine } from "../../src/engine/mod.ts";
import { bulkPiece } from "./bulk_piece.ts";
import { createStream } from "./engine.ts";
import { sayLine } from "./say_line.ts";

const [path, streams] = Deno.args;
const engine = await openEngine({ path });

async function work(stream: number): Promise<never> {
  const uuid = await createStream(engine, stream + 1);
  for (let piece = 0;; piece++) {
    await engine.insert({ uuid, columns: bulkPiece(stream, piece) });
    sayLine(`${stream} ${piece}`);
  }
}

await Promise.all(Array.from({ length: Number(streams) }, (_, stream) => work(stream)));
