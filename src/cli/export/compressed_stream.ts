/**
 * Compression of what is written to a file.
 *
 * @module
 */

import type { Transform } from "node:stream";

/** Bytes that are compressed on their way. */
export interface CompressedStream {
  /** Takes the bytes; it is closed when the compressed ones are written. */
  readonly stream: WritableStream<Uint8Array>;
  /** Writes nothing any more. */
  stop(): void;
}

/**
 * Compresses bytes, and writes them. Deno's own adapter of Node.js's streams ends the process when what
 * it writes to fails, because a compressor goes on for a moment.
 *
 * @param compressor Gzip or Zstandard.
 * @param write Writes compressed bytes at once; what it throws ends the stream.
 */
export function compressedStream(
  compressor: Transform,
  write: (bytes: Uint8Array) => void,
): CompressedStream {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  ended.catch(() => {}); // Whoever writes or closes is told.
  let isStopped = false;
  const stop = (reason: unknown): void => {
    isStopped = true;
    reject(reason);
    compressor.destroy();
  };
  compressor.on("data", (bytes: Uint8Array) => {
    if (isStopped) return;
    try {
      write(bytes);
    } catch (error) {
      stop(error);
    }
  });
  compressor.once("end", resolve);
  compressor.once("error", stop);
  return {
    stream: new WritableStream<Uint8Array>({
      write: (bytes) => {
        const taken = new Promise<void>((done, fail) => {
          compressor.write(bytes, (error) => error ? fail(error) : done());
        });
        return Promise.race([taken, ended]);
      },
      close: () => {
        compressor.end();
        return ended;
      },
      abort: stop,
    }),
    stop: () => stop(new Error("The compression was stopped")),
  };
}
