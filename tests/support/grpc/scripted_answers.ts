/** Messages that scripts answer with. */

import { create, type DescMessage, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  InfoResponseSchema,
  type MemberSchema,
  NearestResponseSchema,
  RawValuesResponseSchema,
  WindowsResponseSchema,
} from "../../../src/gen/btrdb_v4_pb.ts";
import { type Script, type ScriptedCall, status } from "./scripted_server.ts";

/** A message in bytes. */
export function bytes<Desc extends DescMessage>(
  desc: Desc,
  init: MessageInitShape<Desc>,
): Uint8Array {
  return toBinary(desc, create(desc, init));
}

/** An answer that only says what went wrong: all of them begin alike. */
export function failure(code: number, msg: string): Uint8Array {
  return bytes(NearestResponseSchema, { stat: { code, msg } });
}

/** The answer of the calls that only give a version. */
export function versioned(major: bigint, minor = 0n): Uint8Array {
  return bytes(NearestResponseSchema, { versionMajor: major, versionMinor: minor });
}

/** The answer to `Nearest`. */
export function nearest(time: bigint, value = 1, major = 11n): Uint8Array {
  return bytes(NearestResponseSchema, { versionMajor: major, value: { time, value } });
}

/** A part of an answer with raw values. */
export function raw(
  pairs: readonly (readonly [bigint, number])[],
  major = 11n,
  minor = 0n,
): Uint8Array {
  const values = pairs.map(([time, value]) => ({ time, value }));
  return bytes(RawValuesResponseSchema, { versionMajor: major, versionMinor: minor, values });
}

/** A part of an answer with windows of one value each, or of none. */
export function windows(
  rows: readonly (readonly [time: bigint, count: bigint, value?: number])[],
  major = 11n,
  minor = 0n,
): Uint8Array {
  const values = rows.map(([time, count, v = 0]) => ({ time, count, min: v, mean: v, max: v }));
  return bytes(WindowsResponseSchema, { versionMajor: major, versionMinor: minor, values });
}

/** Answer to `Info`. */
export function info(
  build: string,
  members: MessageInitShape<typeof MemberSchema>[] = [],
  version: [major: number, minor: number] = [4, 15],
): Uint8Array {
  return bytes(InfoResponseSchema, {
    build,
    majorVersion: version[0],
    minorVersion: version[1],
    ...(members.length === 0 ? {} : { mash: { members, healthy: true } }),
  });
}

/** A script for a v4 server: `Info` by what it is, the rest by method. */
export function v4Server(
  build: string,
  methods: Readonly<Record<string, (call: ScriptedCall) => Promise<void> | void>>,
): Script {
  return (call) => {
    if (call.path === "/grpcinterface.BTrDB/Info") return call.send(info(build));
    const method = call.path.startsWith("/grpcinterface.") ? methods[call.rpc] : undefined;
    if (method === undefined) throw status(12, `unknown service for ${call.path}`);
    return method(call);
  };
}
