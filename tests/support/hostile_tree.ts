/** Database files whose tree was changed by hand: every checksum fits, and what it says does not. */

import { DatabaseSync } from "node:sqlite";
import type { RawColumns } from "../../src/core/columns.ts";
import { checkNumbers } from "../../src/engine/file/checksum.ts";
import { openEngine } from "../../src/engine/mod.ts";
import { encodeCompressed, encodePlain } from "../../src/engine/tree/inner_codec.ts";
import { InnerNode, type Node } from "../../src/engine/tree/node.ts";
import { decodeNode, encodeLeaf } from "../../src/engine/tree/node_codec.ts";

/** The forms that the block of an inner node may have. */
export const INNER_FORMS: Record<"plain" | "compressed", typeof encodePlain> = {
  plain: encodePlain,
  compressed: encodeCompressed,
};

/** The stream in these files. */
export const HOSTILE_UUID: Uint8Array = new Uint8Array(16).fill(7);

/** Points of the stream in the tree, 1 ms apart from 0 on. */
export const HOSTILE_POINTS = 60_000;

/** Points in the buffer, after those. */
export const HOSTILE_BUFFERED = 100;

/** The nodes of a file, to be changed and written back. */
export class TreeSurgeon {
  readonly db: DatabaseSync;
  /** By address. */
  readonly nodes: ReadonlyMap<number, Node>;
  readonly #encodeInner: (address: number, node: InnerNode) => Uint8Array;

  /** @param form That of the inner nodes that are written. */
  constructor(path: string, form: keyof typeof INNER_FORMS) {
    this.#encodeInner = INNER_FORMS[form];
    this.db = new DatabaseSync(path);
    const rows = this.db.prepare("SELECT id, data FROM block ORDER BY id").all();
    this.nodes = new Map(
      rows.map(({ id, data }) => [Number(id), decodeNode(Number(id), data as Uint8Array)]),
    );
  }

  /** Addresses of the inner nodes of the latest version, the root first. */
  get inner(): number[] {
    const sql = "SELECT root FROM version ORDER BY major DESC LIMIT 1";
    const found: number[] = [];
    const walk = (address: number) => {
      const node = this.nodes.get(address);
      if (!(node instanceof InnerNode)) return;
      found.push(address);
      for (const child of node.addresses) if (child > 0) walk(child);
    };
    walk(Number(this.db.prepare(sql).get()!["root"]));
    return found;
  }

  /** An inner node by its address. */
  node(address: number): InnerNode {
    return this.nodes.get(address) as InnerNode;
  }

  /** Buckets of an inner node that have a child of a kind. */
  buckets(address: number, kind: number): number[] {
    const { kinds } = this.node(address);
    return [...kinds.keys()].filter((b) => kinds[b] === kind);
  }

  /** Writes any bytes as a block. */
  writeBytes(address: number, bytes: Uint8Array): void {
    this.db.prepare("UPDATE block SET data = ? WHERE id = ?").run(bytes, address);
  }

  /** Writes an inner node as it is now. */
  writeInner(address: number): void {
    this.writeBytes(address, this.#encodeInner(address, this.node(address)));
  }

  /** Writes points as a leaf. */
  writeLeaf(address: number, points: RawColumns): void {
    this.writeBytes(address, encodeLeaf(address, points, 0, points.times.length));
  }

  /** Changes the root of the latest version. */
  setRoot(root: number): void {
    const sql = "SELECT stream, major FROM version ORDER BY major DESC LIMIT 1";
    const { stream, major } = this.db.prepare(sql).get() as { stream: number; major: number };
    this.db.prepare("UPDATE version SET root = ?, checksum = ? WHERE stream = ? AND major = ?")
      .run(root, checkNumbers(stream, major, root), stream, major);
  }

  close(): void {
    this.db.close();
  }
}

/** Writes a file with one stream of two versions. */
export async function writeHostileBase(path: string): Promise<void> {
  await using engine = await openEngine({ path });
  const metadata = { tags: new Map([["name", "x"]]), annotations: new Map() };
  await engine.create({ uuid: HOSTILE_UUID, collection: "hostile", ...metadata });
  const columns = (from: number, n: number) => ({
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(from + i) * 1_000_000n),
    values: Float64Array.from({ length: n }, (_, i) => Math.sin(from + i)),
  });
  const half = HOSTILE_POINTS / 2;
  for (const from of [0, half]) {
    await engine.insert({ uuid: HOSTILE_UUID, columns: columns(from, half) });
    await engine.flush(HOSTILE_UUID);
  }
  const buffered = columns(HOSTILE_POINTS, HOSTILE_BUFFERED);
  await engine.insert({ uuid: HOSTILE_UUID, columns: buffered });
}

/** Every kind of read there is: answers in a form that can be compared. */
export async function readHostile(path: string): Promise<(string | Error)[]> {
  const engine = await openEngine({ path, readOnly: true });
  const uuid = HOSTILE_UUID;
  const range = { uuid, start: 0n, end: 1n << 50n, version: 0n };
  const reads: (() => Promise<unknown[]>)[] = [
    async () => {
      const out: unknown[] = [];
      for await (const { columns } of engine.rawValues(range)) {
        out.push(columns.times.join(), columns.values.join());
      }
      return out;
    },
    ...[46, 38, 30, 26].map((pointwidth) => async () => {
      const out: unknown[] = [];
      for await (const { columns } of engine.alignedWindows({ ...range, pointwidth })) {
        const { times, count, min, mean, max, stddev } = columns;
        out.push(times.join(), count.join(), min.join(), mean.join(), max.join(), stddev?.join());
      }
      return out;
    }),
    async () => {
      const out: unknown[] = [];
      const request = { ...range, end: 60_000_000_000n, width: 999_999_999n, depth: 0 };
      for await (const { columns } of engine.windows(request)) {
        out.push(columns.count.join(), columns.mean.join());
      }
      return out;
    },
    ...[true, false].map((backward) => async () => {
      const request = { uuid, time: 31_000_500_000n, version: 0n, backward };
      const { point } = await engine.nearest(request);
      return [point.time, point.value];
    }),
    async () => {
      const out: unknown[] = [];
      for await (
        const { starts, ends } of engine.changes({ uuid, from: 11n, to: 0n, resolution: 0 })
      ) {
        out.push(starts.join(), ends.join());
      }
      return out;
    },
  ];
  try {
    const answers: (string | Error)[] = [];
    for (const read of reads) {
      answers.push(await read().then((out) => out.join("\n"), (error: Error) => error));
    }
    return answers;
  } finally {
    await engine.close();
  }
}
