/**
 * Where exports go: stdout, or a file that appears when it is complete.
 *
 * @module
 */

import { createGzip, createZstdCompress } from "node:zlib";
import { Duplex } from "node:stream";
import { writeBytes } from "../output.ts";

/** A place for bytes. */
export interface Sink {
  readonly stream: WritableStream<Uint8Array>;
  /** Writes bytes at once, where the stream would do no more than that. */
  readonly write?: ((bytes: Uint8Array) => void) | undefined;
  /** Everything was written. */
  finish(): Promise<void>;
  /** Something went wrong; what was written stays in the `.part` file. */
  abandon(): void;
  /** Why bytes could not be written. */
  readonly failure: unknown;
}

/** Name of the file under way. */
export function partPath(path: string): string {
  return `${path}.part`;
}

/** Bytes to stdout. */
export function stdoutSink(): Sink {
  let failure: unknown;
  const write = (bytes: Uint8Array): void => {
    try {
      writeBytes(bytes);
    } catch (error) {
      failure = error;
      throw error;
    }
  };
  return {
    stream: new WritableStream<Uint8Array>({ write }),
    write,
    finish: () => Promise.resolve(),
    abandon: () => {},
    get failure() {
      return failure;
    },
  };
}

/**
 * Bytes to a file, packed as its name says (`.gz`, `.zst`).
 *
 * @param path Its name when it is complete.
 * @param append Whether the `.part` file goes on where it ends.
 */
export function fileSink(path: string, append: boolean): Sink {
  const part = partPath(path);
  const file = Deno.openSync(part, { write: true, create: true, truncate: !append, append });
  const write = (bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
  };
  const raw = new WritableStream<Uint8Array>({ write });
  const packer = packerOf(path);
  const piped = packer === undefined
    ? Promise.resolve()
    : (packer.readable as ReadableStream<Uint8Array>).pipeTo(raw);
  piped.catch(() => {});
  let open = true;
  const close = (): void => {
    if (open) file.close();
    open = false;
  };
  return {
    stream: packer === undefined ? raw : packer.writable as WritableStream<Uint8Array>,
    write: packer === undefined ? write : undefined,
    async finish() {
      await piped;
      close();
      await Deno.rename(part, path);
    },
    abandon: close,
    failure: undefined,
  };
}

function packerOf(path: string): ReturnType<typeof Duplex.toWeb> | undefined {
  if (/\.gz$/i.test(path)) return Duplex.toWeb(createGzip());
  if (/\.zst$/i.test(path)) return Duplex.toWeb(createZstdCompress());
  return undefined;
}
