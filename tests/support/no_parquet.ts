/** Stands for `./parquet`, which reads files, where a program is bundled for a page. */

/** Refuses: pages write Parquet and do not read it. */
export function openParquet(): never {
  throw new Error(PARQUET_IS_NOT_READ);
}

/** Message of the refusal. */
export const PARQUET_IS_NOT_READ = "pages do not read Parquet";
