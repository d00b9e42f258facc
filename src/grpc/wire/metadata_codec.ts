/**
 * Encoding that differs between v4 and v5: metadata, and the paging of collections.
 *
 * @module
 */

import type { DescMessage } from "@bufbuild/protobuf";
import type {
  CreateRequest,
  LookupRequest,
  MetadataUsage,
  SetAnnotationsRequest,
  StreamDescriptor,
  StreamInfo,
} from "../../endpoint/endpoint.ts";
import type { ErrorContext } from "../errors.ts";
import type { checkFields } from "./decode_message.ts";

/** Checks messages; handed over, because pages load codecs apart from what they have in common. */
export type CheckFields = typeof checkFields;

/** One protocol's way of writing metadata. */
export interface MetadataCodec {
  readonly protocol: "v4" | "v5";
  /** gRPC service, `package.Name`. */
  readonly service: string;
  /**
   * A request for names of collections from `startWith` on, `limit` at most; absent where the server
   * answers with all of them.
   */
  readonly collectionsPage?: (prefix: string, startWith: string, limit: number) => Uint8Array;
  create(request: CreateRequest): Uint8Array;
  setAnnotations(request: SetAnnotationsRequest): Uint8Array;
  lookup(request: LookupRequest): Uint8Array;
  /** Messages of the answer to a lookup. */
  readonly lookupAnswer: DescMessage;
  decodeLookup(bytes: Uint8Array, call: ErrorContext, check: CheckFields): StreamDescriptor[];
  /** The descriptor is there if it was asked for, the version always: 0.0 if it was not. */
  decodeStreamInfo(bytes: Uint8Array, call: ErrorContext, check: CheckFields): StreamInfo;
  decodeMetadataUsage(bytes: Uint8Array, call: ErrorContext, check: CheckFields): MetadataUsage;
}
