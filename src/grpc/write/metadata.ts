/**
 * The calls that change metadata. One whose answer was lost is retried only after a look at the
 * stream has shown that it did not take place (docs/retries.md).
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { delay, throwIfOver } from "../../core/call.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { checkCreate, checkSetAnnotations, checkSetTags } from "../../endpoint/checks_metadata.ts";
import type {
  CallOptions,
  CreateRequest,
  Metadata,
  SetAnnotationsRequest,
  SetTagsRequest,
  StreamDescriptor,
} from "../../endpoint/endpoint.ts";
import { SetStreamTagsParamsSchema } from "../../gen/btrdb_v5_pb.ts";
import type { Caller, CallSpec } from "../call/caller.ts";
import type { MetadataCodec } from "../wire/metadata_codec.ts";
import { callError, isUncertain, lateError, wasRefused } from "../errors.ts";
import { decodeStat, obliterateParams } from "../wire/messages.ts";
import type { Reader } from "../read/reader.ts";
import { type Persistence, persistently } from "./persistently.ts";

/** Outcome of a change whose answer was lost, as a look at the stream shows it. */
type Outcome = "done" | "not done" | "unknown";

/** Changes metadata of one connection. */
export class MetadataWrites {
  readonly #caller: Caller;
  readonly #codec: MetadataCodec;
  readonly #reader: Reader;
  readonly #persistence: Persistence;

  constructor(
    caller: Caller,
    codec: MetadataCodec,
    reader: Reader,
    persistence: Persistence,
  ) {
    this.#caller = caller;
    this.#codec = codec;
    this.#reader = reader;
    this.#persistence = persistence;
  }

  /** See `Endpoint.create`. */
  async create(request: CreateRequest, options: CallOptions): Promise<void> {
    checkCreate(request);
    const spec: CallSpec = { rpc: "Create", uuid: request.uuid, options, isWrite: true };
    await this.#change(spec, this.#codec.create(request), (now) => {
      if (now === undefined) return "not done";
      const same = now.collection === request.collection && equal(now.tags, request.tags) &&
        equal(now.annotations, request.annotations);
      return same ? "done" : "not done";
    });
  }

  /** See `Endpoint.setAnnotations`. */
  async setAnnotations(request: SetAnnotationsRequest, options: CallOptions): Promise<void> {
    checkSetAnnotations(request);
    const spec: CallSpec = {
      rpc: "SetStreamAnnotations",
      uuid: request.uuid,
      options,
      isWrite: true,
    };
    const message = this.#codec.setAnnotations(request);
    await this.#change(spec, message, (now) => compared(now, request, now?.annotations));
  }

  /** See `Endpoint.setTags`. */
  async setTags(request: SetTagsRequest, options: CallOptions): Promise<void> {
    checkSetTags(request);
    const { uuid, expected, collection, changes, removals } = request;
    const spec: CallSpec = { rpc: "SetStreamTags", uuid, options, isWrite: true };
    const message = create(SetStreamTagsParamsSchema, {
      uuid,
      expectedPropertyVersion: expected,
      tags: Array.from(
        changes,
        ([key, value]) => value === null ? { key } : { key, val: { value } },
      ),
      collection,
      remove: [...removals],
    });
    await this.#change(spec, toBinary(SetStreamTagsParamsSchema, message), (now) => {
      const moved = collection === "" || now?.collection === collection;
      return compared(now, request, moved ? now?.tags : undefined);
    });
  }

  /** See `Endpoint.obliterate`. */
  async obliterate(uuid: Uint8Array, options: CallOptions): Promise<void> {
    const spec: CallSpec = { rpc: "Obliterate", uuid, options, isWrite: true };
    await this.#change(
      spec,
      obliterateParams(uuid),
      (now) => now === undefined ? "done" : "not done",
    );
  }

  /** Makes a change once, as far as anybody can tell. */
  async #change(
    spec: CallSpec,
    message: Uint8Array,
    outcome: (now: StreamDescriptor | undefined) => Outcome,
  ): Promise<void> {
    const tries = this.#caller.tries(spec);
    let lost: unknown;
    while (true) {
      try {
        await this.#caller.once(
          spec,
          message,
          (bytes) => decodeStat(bytes, spec),
          tries.attempt,
        );
        return tries.succeeded();
      } catch (error) {
        // After a try of which nobody knows, any error may be there because that one took place after all.
        const isInDoubt = lost !== undefined || isUncertain(error);
        if (isInDoubt || wasRefused(error)) lost ??= error;
        if (isInDoubt && this.#caller.policy.attempts > 1) {
          const found = await this.#settle(spec, outcome);
          if (found === "done") return;
          if (found === "unknown") {
            throw undecided(spec, lost, "the metadata was changed by others meanwhile");
          }
        }
        await this.#caller.again(error, tries);
      }
    }
  }

  /** Looks whether a change took place, and once more before it says that it did not. */
  async #settle(
    spec: CallSpec,
    outcome: (now: StreamDescriptor | undefined) => Outcome,
  ): Promise<Outcome> {
    let found: Outcome = "not done";
    for (let look = 0; look < 2 && found === "not done"; look++) {
      await delay(this.#persistence.settleMs, spec.options, () => lateError(spec));
      try {
        found = outcome(
          await persistently(this.#persistence, spec.options, () => this.#descriptor(spec)),
        );
      } catch (cause) {
        throwIfOver(spec.options, () => lateError(spec));
        throw undecided(spec, cause, "the stream could not be looked at afterwards");
      }
    }
    return found;
  }

  /** The stream as it is now; `undefined` if there is none. */
  async #descriptor({ uuid, options }: CallSpec): Promise<StreamDescriptor | undefined> {
    const request = { uuid: uuid!, omitVersion: true, omitDescriptor: false };
    try {
      return (await this.#reader.streamInfo(request, options)).descriptor;
    } catch (error) {
      if (error instanceof BTrDBError && error.code === ErrorCode.NoSuchStream) return undefined;
      throw error;
    }
  }
}

/** Outcome of a compare-and-set, judged by the property version and the values it was to set. */
function compared(
  now: StreamDescriptor | undefined,
  { expected, changes, removals }: {
    expected: bigint;
    changes: Metadata;
    removals: readonly string[];
  },
  metadata: Metadata | undefined,
): Outcome {
  if (now === undefined || now.propertyVersion <= expected) return "not done";
  const reflected = metadata !== undefined && removals.every((key) => !metadata.has(key)) &&
    [...changes].every(([key, value]) => metadata.has(key) && metadata.get(key) === value);
  if (now.propertyVersion === expected + 1n) return reflected ? "done" : "not done";
  return "unknown";
}

function equal(a: Metadata, b: Metadata): boolean {
  return a.size === b.size &&
    [...a].every(([key, value]) => b.has(key) && b.get(key) === value);
}

function undecided(spec: CallSpec, cause: unknown, why: string): BTrDBError {
  const what = `Cannot tell whether ${spec.rpc} took place: the answer was lost, and ${why}`;
  return callError(what, "UNKNOWN", spec, cause);
}
