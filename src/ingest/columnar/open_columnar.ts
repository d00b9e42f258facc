/**
 * Parquet and Arrow files as sources.
 *
 * @module
 */

import { openArrowFile } from "../../io/arrow_file.ts";
import { openParquetFile } from "../../io/parquet_file.ts";
import { readBytes } from "../bytes.ts";
import { type FormatInput, randomAccess } from "../format.ts";
import type { SourceOptions } from "../options.ts";
import type { Source } from "../source.ts";
import { Spool } from "../spool.ts";
import { columnarSource } from "./columnar_source.ts";
import { damagedFile } from "./damaged_file.ts";

/** Opens a Parquet file; a batch is a row group, or some rows of a large one. */
export async function openParquetSource(
  input: FormatInput,
  options: SourceOptions,
  layout?: unknown,
): Promise<Source> {
  const access = await randomAccess(input);
  const spool = access instanceof Spool ? access : undefined;
  const close = async (): Promise<void> => await spool?.[Symbol.asyncDispose]();
  const file = await openParquetFile(access).catch(async (error) => {
    await close();
    throw damagedFile(error, "parquet");
  });
  const size = spool?.byteLength ?? input.bytes.size;
  const { compression } = input.bytes;
  return await columnarSource(
    { file, format: "parquet", size, compression, close },
    options,
    layout,
  );
}

/** Opens an Arrow IPC stream or file, such as Feather; a batch is a record batch. */
export async function openArrowSource(
  input: FormatInput,
  options: SourceOptions,
  layout?: unknown,
): Promise<Source> {
  const { bytes, counter } = input;
  // The first batches are looked at before all are read.
  const spool = bytes.once ? await Spool.of(input.all()) : undefined;
  const close = async (): Promise<void> => await spool?.[Symbol.asyncDispose]();
  const open = () => spool === undefined ? readBytes(bytes, 0, counter) : spool.chunks();
  const file = await openArrowFile(open).catch(async (error) => {
    await close();
    throw damagedFile(error, "arrow");
  });
  const size = spool?.byteLength ?? bytes.size;
  const bytesRead = () => spool === undefined ? counter.bytes : spool.byteLength;
  const { compression } = bytes;
  return await columnarSource(
    { file, format: "arrow", size, compression, bytesRead, close },
    options,
    layout,
  );
}
