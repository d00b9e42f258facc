/**
 * Removes streams and versions permanently: what only they had is reclaimed in the background.
 *
 * @module
 */

import { abortable } from "../core/call.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { uuidText } from "../core/uuid.ts";
import { TEXT } from "../endpoint/checks.ts";
import type { CallOptions, PruneResult } from "../endpoint/endpoint.ts";
import type { Deletions } from "./file/deletions.ts";
import type { MetadataStore } from "./metadata/store.ts";
import type { Journal } from "./stream/journal.ts";
import type { StreamRegistry } from "./stream/registry.ts";
import { ALL_VERSIONS, type Reclaimer } from "./write/reclaimer.ts";
import { Refusal, type Task } from "./write/transaction.ts";

/** Parts of an open database that have something of each stream. */
interface RemovalParts {
  readonly streams: StreamRegistry;
  readonly metadata: MetadataStore;
  readonly journal: Journal;
  readonly deletions: Deletions;
  readonly reclaimer: Reclaimer;
  /** Queues a task for the writer. */
  submit<T>(task: Task<T>, options: CallOptions | undefined): Promise<T>;
}

/** Removals from an open database. */
export class Removals {
  readonly #parts: RemovalParts;

  constructor(parts: RemovalParts) {
    this.#parts = parts;
  }

  /** Removes a stream permanently. */
  obliterate(uuid: Uint8Array, options: CallOptions | undefined): Promise<void> {
    const { streams, metadata, journal, deletions, reclaimer, submit } = this.#parts;
    return submit({
      points: 0,
      kind: "metadata",
      run: (tx) => {
        const state = streams.get(uuid);
        const stream = metadata.get(uuid);
        if (state === undefined || stream === undefined) {
          throw new Refusal(
            new BTrDBError(TEXT.streamDoesNotExist, {
              code: ErrorCode.NoSuchStream,
              uuid: uuidText(uuid),
            }),
          );
        }
        journal.erase(tx, state.id, tx.head(state).buffer);
        metadata.obliterate(stream);
        deletions.remove(state.id);
        reclaimer.order(state.id, ALL_VERSIONS);
        tx.afterCommit(() => {
          streams.delete(state);
          reclaimer.start();
        });
      },
    }, options);
  }

  /** Removes the versions of a stream below `keep`. */
  async prune(
    uuid: Uint8Array,
    keep: bigint,
    options: CallOptions | undefined,
  ): Promise<PruneResult> {
    const { streams, reclaimer, submit } = this.#parts;
    const expect = (condition: boolean, code: number, text: string) => {
      if (!condition) throw new Refusal(new BTrDBError(text, { code, uuid: uuidText(uuid) }));
    };
    const stream = await submit({
      points: 0,
      kind: "points",
      run: (tx): number | undefined => {
        const state = streams.get(uuid);
        expect(state !== undefined, ErrorCode.NoSuchStream, TEXT.streamDoesNotExist);
        const { id } = state!;
        const { major } = tx.head(state!);
        const text = `Cannot prune below version ${keep}: the latest is ${major}`;
        expect(keep <= BigInt(major), ErrorCode.InvalidVersions, text);
        if (reclaimer.prune(tx, state!, Number(keep))) return id;
        return reclaimer.isOrdered(id) ? id : undefined;
      },
    }, options);
    if (stream === undefined) return { versions: 0, blocks: 0 };
    return abortable(reclaimer.finished(stream), options ?? {}, "prune");
  }
}
