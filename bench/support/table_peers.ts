/**
 * Peers that keep one table with a common time column, each in a process of its own.
 *
 * @module
 */

import type { RawColumns } from "../../src/core/columns.ts";
import { PythonPeer } from "./python_peer.ts";

/** Name of a peer. */
export type TablePeerName = "DuckDB" | "chdb" | "polars";

/** Packages of each peer, which come from PyPI. */
const PACKAGES: Readonly<Record<TablePeerName, readonly string[]>> = {
  DuckDB: ["duckdb==2.0.1", "numpy==2.4.6"],
  chdb: ["chdb==4.4.0", "numpy==2.4.6", "pandas==3.1.1", "pyarrow==26.0.1"],
  polars: ["polars==2.1.0", "numpy==2.4.6"],
};

/** Peers that were started, by name. */
export type TablePeers = ReadonlyMap<TablePeerName, PythonPeer>;

/** Starts the peers over a folder with the columns; those that cannot be had are named on stderr. */
export async function startTablePeers(folder: string): Promise<TablePeers> {
  const started = new Map<TablePeerName, PythonPeer>();
  for (const [name, packages] of Object.entries(PACKAGES) as [TablePeerName, string[]][]) {
    const id = name.toLowerCase();
    const args = [id, folder];
    const peer = await PythonPeer.startScript(`table-${id}`, packages, "./table_peers.py", args);
    if (peer === undefined) {
      console.warn(`skipped, ${name} cannot be had: there is no Python or no package`);
    } else started.set(name, peer);
  }
  return started;
}

/** Writes numbers to a file for the peers. */
export async function writeNumbers(path: string, numbers: ArrayBufferView): Promise<void> {
  const { buffer, byteOffset, byteLength } = numbers;
  await Deno.writeFile(path, new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
}

/** Columns of the answer that a peer gives to a job. */
async function answerOf(
  peer: PythonPeer,
  name: TablePeerName,
  folder: string,
  job: string,
  columns: number,
): Promise<ArrayBuffer[]> {
  await peer.run(`answer ${job}`);
  const files = Array.from({ length: columns }, (_, i) => `${folder}/${name.toLowerCase()}.${i}`);
  return await Promise.all(files.map(async (file) => (await Deno.readFile(file)).buffer));
}

/** Refuses other points than ours. */
export async function checkPoints(
  peer: PythonPeer,
  name: TablePeerName,
  folder: string,
  job: string,
  own: RawColumns,
): Promise<void> {
  const [times, values] = await answerOf(peer, name, folder, job, 2);
  const same = (a: BigInt64Array | Float64Array, b: BigInt64Array | Float64Array) =>
    a.length === b.length && a.every((x, i) => x === b[i]);
  if (!same(own.times, new BigInt64Array(times!)) || !same(own.values, new Float64Array(values!))) {
    throw new Error(`${name} answers ${job} with other points`);
  }
}

/** Windows as all have them. */
export interface PlainWindows {
  readonly min: Float64Array;
  readonly mean: Float64Array;
  readonly max: Float64Array;
  readonly count: BigUint64Array;
}

/** Refuses other windows than ours; means may differ in their last digits. */
export async function checkWindows(
  peer: PythonPeer,
  name: TablePeerName,
  folder: string,
  job: string,
  own: PlainWindows,
): Promise<void> {
  const [, min, mean, max, count] = await answerOf(peer, name, folder, job, 5);
  const [mins, means, maxs] = [min!, mean!, max!].map((bytes) => new Float64Array(bytes));
  const counts = new BigInt64Array(count!);
  for (let i = 0; i < own.count.length || i < counts.length; i++) {
    const isSame = own.min[i] === mins![i] && own.max[i] === maxs![i] &&
      own.count[i] === counts[i] &&
      Math.abs(own.mean[i]! - means![i]!) <= 1e-9 * Math.max(1, Math.abs(own.mean[i]!));
    if (!isSame) throw new Error(`${name} answers ${job} with another window ${i}`);
  }
}
