/**
 * Calls over HTTP/2 by grpc-js. Nothing else in the client imports that library.
 *
 * @module
 */

import {
  Channel,
  type ChannelCredentials,
  type ChannelOptions,
  credentials,
  logVerbosity,
  Metadata,
  setLogVerbosity,
  status,
} from "@grpc/grpc-js";
import { Buffer } from "node:buffer";
import process from "node:process";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { MAX_TIMER_MS } from "../../core/call.ts";
import type { EndStatus } from "../../core/grpc_web.ts";
import { connectionText } from "../connection_text.ts";
import { isLostPeer, isRefused, neverStarted, type Reach } from "../errors.ts";
import { type Address, grpcTarget, isIp } from "./address.ts";
import { filtered } from "./filtered_credentials.ts";
import { checkAnswers, wereSent } from "./strict_answers.ts";
import type { Transport, Wire, WireCall, WireListener, WireRequest } from "./wire.ts";

// Headers that are no ASCII are all that the library writes of answers: to stderr, as the server sent
// them. Who asks for its log by one of its variables gets it.
const { GRPC_NODE_VERBOSITY, GRPC_VERBOSITY } = process.env;
if ((GRPC_NODE_VERBOSITY ?? GRPC_VERBOSITY) === undefined) setLogVerbosity(logVerbosity.NONE);

/** Settings of all connections of a client. */
export interface GrpcJsSettings {
  /** Certificates of authorities, PEM; absent: the platform's. */
  readonly caBundle?: string | Uint8Array | undefined;
  /** Name that the server's certificate must carry; absent: the host's. */
  readonly tlsName?: string | undefined;
  /** Longest message that is taken, decompressed. */
  readonly maxMessageBytes: number;
  /** Bytes that may be under way on the wire, per connection and per call. */
  readonly flowControlWindow: number;
}

/** HTTP/2 by grpc-js. */
export function grpcJsTransport(settings: GrpcJsSettings): Transport {
  return {
    canProbe: true,
    isTwoWay: true,
    takesBlocks: false,
    open: (address, onRetired) => new GrpcJsWire(openChannel(address, settings, onRetired)),
  };
}

class GrpcJsWire implements Wire {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  start(request: WireRequest, listener: WireListener): WireCall {
    return new GrpcJsCall(this.#channel, request, listener);
  }

  close(): void {
    this.#channel.close();
  }
}

class GrpcJsCall implements WireCall {
  readonly #call: ReturnType<Channel["createCall"]>;

  constructor(channel: Channel, request: WireRequest, listener: WireListener) {
    const { path, deadlineMs, apiKey } = request;
    // The library breaks at deadlines that no timer reaches.
    const deadline = deadlineMs - Date.now() > MAX_TIMER_MS ? Infinity : deadlineMs;
    const call = channel.createCall(path, deadline, null, null, null);
    this.#call = call;
    call.start(metadataOf(apiKey), {
      onReceiveMetadata: () => listener.onHeaders(),
      onReceiveMessage: ({ buffer, byteOffset, length }: Buffer) =>
        listener.onMessage(new Uint8Array(buffer, byteOffset, length)),
      onReceiveStatus: (given: GivenStatus) => {
        const end = wholeStatus(given);
        const peer = call.getPeer();
        const hasPeer = peer !== channel.getTarget() && peer !== "unknown";
        listener.onEnd(end, hasPeer ? reachOf(end, given.metadata) : "unsent");
      },
    });
  }

  want(): void {
    this.#call.startRead();
  }

  send(message: Uint8Array): void {
    const buffer = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    this.#call.sendMessageWithContext({}, buffer);
  }

  halfClose(): void {
    this.#call.halfClose();
  }

  cancel(): void {
    this.#call.cancelWithStatus(status.CANCELLED, "Cancelled by the caller");
  }
}

/** The library's text for calls that the server reset with ENHANCE_YOUR_CALM. */
const CALM_DOWN = "Bandwidth exhausted or memory limit exceeded";
/** The meaning that servers of this package give it; to others it may be that a client asks too much. */
const UNREAD =
  "the server has ended the call to make room for others, as it does with answers that " +
  "are not read for too long";

/** The library's text for an answer of headers alone, without a status. */
const NO_STATUS = "Received HTTP status code 200";

/** A status as the library gives it. */
type GivenStatus = Partial<EndStatus & Error> & { readonly metadata?: object };

/**
 * The status of a call. The library passes on errors of its own instead, without code and details, for
 * messages that are said to be compressed and are not.
 */
function wholeStatus({ code, details, message }: GivenStatus): EndStatus {
  if (details === CALM_DOWN) return { code: status.RESOURCE_EXHAUSTED, details: UNREAD };
  const end = { code: code ?? status.INTERNAL, details: details ?? message ?? "" };
  if (end.details === NO_STATUS) return { ...end, details: "it answered without a status" };
  return isLostPeer(end) ? { ...end, details: connectionText(end.details) } : end;
}

/** The point that a call on a connection reached. A server may use the library's words in its own status. */
function reachOf(end: EndStatus, trailers: object | undefined): Reach {
  if (wereSent(trailers)) return "answered";
  if (neverStarted(end)) return "unsent";
  return isRefused(end) ? "refused" : "cut";
}

function metadataOf(apiKey: string | undefined): Metadata {
  const metadata = new Metadata();
  if (apiKey !== undefined) metadata.set("authorization", `bearer ${apiKey}`);
  return metadata;
}

function openChannel(
  address: Address,
  settings: GrpcJsSettings,
  onGoaway: () => void,
): Channel {
  const options: ChannelOptions & { readonly "grpc.max_receive_message_length": number } = {
    "grpc.max_receive_message_length": settings.maxMessageBytes,
    "grpc.max_send_message_length": -1,
    "grpc-node.flow_control_window": settings.flowControlWindow,
    "grpc.enable_retries": 0,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_channelz": 0,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2000,
    "grpc.service_config_disable_resolution": 1,
  };
  const target = grpcTarget(address);
  if (!address.tls) {
    return strictChannel(target, filtered(credentials.createInsecure(), onGoaway), options);
  }
  const ca = settings.caBundle === undefined ? null : Buffer.from(settings.caBundle as Uint8Array);
  const name = settings.tlsName ?? address.host;
  // A literal address is no valid server name: the handshake carries a stand-in, and the
  // certificate is checked against the address itself.
  if (isIp(address.host) || settings.tlsName !== undefined) {
    options["grpc.ssl_target_name_override"] = isIp(name) ? "btrdb.invalid" : name;
  }
  const secure = credentials.createSsl(ca, null, null, {
    checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
      checkServerIdentity(name, certificate),
  });
  return strictChannel(target, filtered(secure, onGoaway), options);
}

function strictChannel(
  target: string,
  secured: ChannelCredentials,
  options: ChannelOptions & { readonly "grpc.max_receive_message_length": number },
): Channel {
  const channel = new Channel(target, secured, options);
  checkAnswers(channel, options["grpc.max_receive_message_length"]);
  return channel;
}
