/**
 * `Info`, and the RPCs that BTrDB has for its own testing and upkeep.
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import {
  FaultInjectParamsSchema,
  GetCompactionConfigParamsSchema,
  GetCompactionConfigResponseSchema,
  InfoResponseSchema,
  SetCompactionConfigParamsSchema,
} from "../../gen/btrdb_v5_pb.ts";
import type { Exchange, Method } from "../method.ts";
import type { MetadataCodec } from "./metadata_codec.ts";
import { decode } from "./request.ts";

/** Answer to `Info`, by protocol: the versions clients ask for. */
const RELEASE = {
  v4: { majorVersion: 4, minorVersion: 15, build: "4.15.9-deno" },
  v5: { majorVersion: 5, minorVersion: 30, build: "5.30.0-deno" },
} as const;

/** Mark in the build of servers that have `InsertMany` (docs/protocol.md, "Inserts of several streams"). */
const BATCHES_MARK = "+batches";

/** Name of the only member, and the murmur3 hash of it (docs/protocol.md, "Clusters"). */
const NODE = { nodename: "node1", hash: 3673216508 } as const;

/**
 * `Info`: versions, and a mash with this server as its only member, at the address by which the
 * client reached it; so the answer is right behind every name and port mapping.
 */
export function info(dialect: MetadataCodec): Method {
  return async ({ call, settings }) => {
    await call.only();
    const release = RELEASE[dialect.protocol];
    const hasBatches = dialect.protocol === "v5" && settings.announcesBatches;
    const response = create(InfoResponseSchema, {
      ...release,
      build: hasBatches ? `${release.build}${BATCHES_MARK}` : release.build,
      mash: {
        revision: 1n,
        leader: NODE.nodename,
        leaderRevision: 1n,
        totalWeight: 1n,
        healthy: true,
        unmapped: 0,
        members: [{
          ...NODE,
          up: true,
          in: true,
          enabled: true,
          start: 0n,
          end: 1n << 32n,
          weight: 1n,
          readPreference: 1,
          httpEndpoints: "",
          grpcEndpoints: addressOf(call.authority),
        }],
      },
    });
    await call.send(toBinary(InfoResponseSchema, response));
  };
}

/** `FaultInject`: never allowed. */
export async function faultInject({ call }: Exchange): Promise<void> {
  await decode(FaultInjectParamsSchema, await call.only());
  throw new BTrDBError("Fault injection is disabled on this node", {
    code: ErrorCode.FaultInjectionDisabled,
  });
}

/** `GetCompactionConfig`: nothing is ever compacted, so version 0 and no ranges. */
export async function getCompactionConfig(
  { call, endpoint, access, options }: Exchange,
): Promise<void> {
  const { uuid } = await decode(GetCompactionConfigParamsSchema, await call.only());
  await access.stream("read", uuid);
  const request = { uuid, omitVersion: false, omitDescriptor: true };
  const { version } = await endpoint.streamInfo(request, options);
  const response = create(GetCompactionConfigResponseSchema, {
    LatestMajorVersion: version?.major ?? 0n,
  });
  await call.send(toBinary(GetCompactionConfigResponseSchema, response));
}

/** `SetCompactionConfig`: there is no compaction to configure. */
export async function setCompactionConfig({ call, access }: Exchange): Promise<void> {
  const { uuid } = await decode(SetCompactionConfigParamsSchema, await call.only());
  await access.stream("admin", uuid);
  throw new BTrDBError("compaction is not implemented on this server", {
    code: ErrorCode.NotImplemented,
  });
}

/** An authority as an address in the mash; whatever could be read as two of them is left out. */
function addressOf(authority: string): string {
  return /^[\w.:[\]%-]+$/.test(authority) ? authority : "";
}
