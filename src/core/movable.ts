/**
 * Moves columns to another thread without copying them.
 *
 * @module
 */

/**
 * Columns whose buffers can be moved: views of buffers that hold more are copied.
 *
 * @param columns Typed arrays by name.
 * @param buffers Gets the buffers that move with them.
 */
export function movable<C extends object>(columns: C, buffers: ArrayBuffer[]): C {
  const moved: Record<string, unknown> = {};
  for (const [name, column] of Object.entries(columns) as [string, Uint8Array<ArrayBuffer>][]) {
    const own = column.byteLength === column.buffer.byteLength ? column : column.slice();
    buffers.push(own.buffer);
    moved[name] = own;
  }
  return moved as C;
}
