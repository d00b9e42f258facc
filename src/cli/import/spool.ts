/**
 * Bytes that come once and must be read out of order, as Parquet is, whose end is read first.
 *
 * @module
 */

/** Bytes in a file that has no name any more: it goes when it is closed, or with the process. */
export class Spool implements Disposable {
  readonly byteLength: number;
  readonly #file: Deno.FsFile;

  private constructor(file: Deno.FsFile, byteLength: number) {
    this.#file = file;
    this.byteLength = byteLength;
  }

  /**
   * Keeps all bytes of a source.
   *
   * @param chunks Read to its end.
   */
  static async of(chunks: AsyncIterable<Uint8Array>): Promise<Spool> {
    const path = await Deno.makeTempFile({ prefix: "btrdb-" });
    const file = await Deno.open(path, { read: true, write: true });
    // Where a file that is open cannot be removed, it stays in the directory for such files.
    await Deno.remove(path).catch(() => {});
    let length = 0;
    try {
      for await (const chunk of chunks) {
        for (let at = 0; at < chunk.length;) at += file.writeSync(chunk.subarray(at));
        length += chunk.length;
      }
    } catch (error) {
      file.close();
      throw error;
    }
    return new Spool(file, length);
  }

  /** Reads some of them. */
  slice(start: number, end: number = this.byteLength): ArrayBuffer {
    const bytes = new Uint8Array(end - start);
    this.#file.seekSync(start, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) {
      const n = this.#file.readSync(bytes.subarray(at));
      if (n === null) return bytes.buffer.slice(0, at);
      at += n;
    }
    return bytes.buffer;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}
