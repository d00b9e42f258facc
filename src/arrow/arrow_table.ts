/**
 * An Arrow table, as other packages see it.
 *
 * @module
 */

/**
 * An Arrow table. Those that functions here return are `Table`s of the package `@uwdata/flechette`,
 * and those are what functions here take.
 */
export interface ArrowTable {
  /** Number of rows. */
  readonly numRows: number;
  /** Number of columns. */
  readonly numCols: number;
  /** Names of the columns, in order. */
  readonly names: readonly unknown[];
  /** The column of a name. */
  getChild(name: string): unknown;
}
