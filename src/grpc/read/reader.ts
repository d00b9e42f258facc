/**
 * The reading calls as the server answers them, resumed and retried, without any correction.
 *
 * @module
 */

import { concatStat, type RawColumns, type StatColumns } from "../../core/columns.ts";
import { compareBytes } from "../../core/bytes.ts";
import { MAX_TIME, MIN_TIME } from "../../core/range.ts";
import { isLatest } from "../../endpoint/checks.ts";
import type {
  AlignedWindowsRequest,
  CallOptions,
  ChangesRequest,
  Chunk,
  NearestRequest,
  NearestResult,
  RangeRequest,
  StatChunk,
  StreamInfo,
  StreamInfoRequest,
  Version,
  WindowsRequest,
} from "../../endpoint/endpoint.ts";
import type { Caller, CallSpec } from "../call/caller.ts";
import type { MetadataCodec } from "../wire/metadata_codec.ts";
import { wrongAnswer } from "../errors.ts";
import type { ServerKind } from "../server_kind.ts";
import { checkStream, checkVersion } from "./check_answer.ts";
import { checkFields } from "../wire/decode_message.ts";
import { decodeNearest, nearestParams, streamInfoParams } from "../wire/messages.ts";
import { readResumable, type ResumeRules } from "./resumable.ts";
import { ChangesSource, type RangeColumns } from "./changes_source.ts";
import { OrderedRawSource } from "./raw_source.ts";
import { alignedWindowsSource, windowsSource } from "./window_sources.ts";

/** The chunks of a server stream. */
export type Parts<Columns> = AsyncGenerator<Chunk<Columns>, void, undefined>;

/** Reads streams of one connection. */
export class Reader {
  readonly stddev: boolean;
  readonly #caller: Caller;
  readonly #codec: MetadataCodec;
  readonly #rules: ResumeRules;
  readonly #kind: ServerKind;

  constructor(caller: Caller, codec: MetadataCodec, rules: ResumeRules, kind: ServerKind) {
    this.#kind = kind;
    this.#caller = caller;
    this.#codec = codec;
    this.#rules = rules;
    this.stddev = codec.protocol === "v5";
  }

  raw(request: RangeRequest, options: CallOptions): Parts<RawColumns> {
    const source = new OrderedRawSource({ ...request, takesBlocks: this.#kind.blocks });
    return readResumable(this.#caller, source, this.#rules, options);
  }

  aligned(request: AlignedWindowsRequest, options: CallOptions): Parts<StatColumns> {
    const source = alignedWindowsSource(request, this.stddev);
    return readResumable(this.#caller, source, this.#rules, options);
  }

  /**
   * Servers whose windows are all right send every window; of others some are added later.
   *
   * @param range Ends of the request as the server rounds them.
   */
  async *windows(
    request: WindowsRequest,
    range: { start: bigint; end: bigint },
    options: CallOptions,
  ): Parts<StatColumns> {
    const { windowAtEnd } = this.#kind;
    const source = windowsSource(request, range, this.stddev, windowAtEnd);
    let left = windowAtEnd ? 0n : (range.end - range.start) / request.width;
    for await (const part of readResumable(this.#caller, source, this.#rules, options)) {
      left -= BigInt(part.columns.times.length);
      yield part;
    }
    if (left > 0n) throw wrongAnswer(`it lacks ${left} windows`, source);
  }

  changes(request: ChangesRequest, options: CallOptions): Parts<RangeColumns> {
    return readResumable(this.#caller, new ChangesSource(request), this.#rules, options);
  }

  async nearest(request: NearestRequest, options: CallOptions): Promise<NearestResult> {
    const { uuid, version } = request;
    const spec: CallSpec = { rpc: "Nearest", uuid, anyNode: !isLatest(version), options };
    const decode = (bytes: Uint8Array) => {
      const answer = decodeNearest(bytes, spec);
      const { version: found, point: { time } } = answer;
      checkVersion(version, found, spec);
      const isAsked = request.backward ? time < request.time : time >= request.time;
      if (isAsked && time >= MIN_TIME && time < MAX_TIME) return answer;
      throw wrongAnswer(`it has a point at ${time}`, spec);
    };
    const result = await this.#caller.unary(spec, nearestParams(request), decode);
    if (isLatest(version)) result.version = this.#rules.floors.correct(uuid, result.version);
    return result;
  }

  async streamInfo(request: StreamInfoRequest, options: CallOptions): Promise<StreamInfo> {
    const { uuid, omitVersion, omitDescriptor } = request;
    const spec: CallSpec = { rpc: "StreamInfo", uuid, anyNode: omitVersion, options };
    const message = streamInfoParams(uuid, omitVersion, omitDescriptor);
    const decode = (bytes: Uint8Array) => {
      const answer = this.#codec.decodeStreamInfo(bytes, spec, checkFields);
      const { descriptor } = answer;
      if (descriptor !== undefined) {
        checkStream(descriptor.uuid, spec, compareBytes(descriptor.uuid, uuid) === 0);
      } else if (!omitDescriptor) throw wrongAnswer("it has no descriptor", spec);
      if (!omitVersion) checkVersion(0n, answer.version!, spec);
      return answer;
    };
    const info = await this.#caller.unary(spec, message, decode);
    if (omitVersion || info.version === undefined) delete info.version;
    else info.version = this.#rules.floors.correct(uuid, info.version);
    if (omitDescriptor) delete info.descriptor;
    return info;
  }

  /** The stream's version. */
  async version(uuid: Uint8Array, options: CallOptions): Promise<Version> {
    const request = { uuid, omitVersion: false, omitDescriptor: true };
    return (await this.streamInfo(request, options)).version!;
  }

  /** All aligned windows of a range that is known to have few. */
  async collectAligned(
    request: AlignedWindowsRequest,
    options: CallOptions,
  ): Promise<StatChunk> {
    let version: Version = { major: 0n, minor: 0n };
    const batches: StatColumns[] = [];
    for await (const part of this.aligned(request, options)) {
      version = part.version;
      batches.push(part.columns);
    }
    return { version, columns: concatStat(batches) };
  }
}
