/**
 * Parses targets, and finds one when none is given.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { BTrDBError } from "../core/errors.ts";
import { shownAddress } from "../core/shown_address.ts";
import type { Environment } from "./environment.ts";
import { readProfile } from "./profile.ts";
import { invalidType } from "../core/argument_error.ts";

/** A kind of database and where it is. */
export type Target =
  | { kind: "memory" }
  | { kind: "file"; path: string }
  | { kind: "grpc" | "grpc-web"; endpoints: string[]; apiKey: string | undefined };

/** Options that say which target is meant. */
export interface TargetOptions {
  apiKey?: string | undefined;
  profile?: string | undefined;
}

/**
 * Finds out what to connect to (docs/connecting.md).
 *
 * @param target Target named by the caller, if any.
 * @param options Key and profile.
 * @param env Environment variables.
 * @throws {TypeError} If the target is of no known form, or a profile is named as well.
 * @throws {BTrDBError} Status `NOT_CONFIGURED`: there is nothing to connect to.
 */
export async function resolveTarget(
  target: string | undefined,
  options: TargetOptions,
  env: Environment,
): Promise<Target> {
  if (target !== undefined) {
    if (options.profile !== undefined) {
      throw invalidType(
        `Cannot connect: both target and profile are given, expected one of them`,
      );
    }
    return parseTarget(target, options.apiKey ?? env.get("BTRDB_API_KEY"));
  }
  if (options.profile !== undefined) {
    const { path, profile } = await readProfile(options.profile, true, env);
    if (profile?.endpoints === undefined) {
      throw new BTrDBError(
        `Cannot use profile "${options.profile}": it has no endpoints in ${path}`,
        { status: "NOT_CONFIGURED" },
      );
    }
    return parseTarget(profile.endpoints, options.apiKey ?? profile.apiKey);
  }
  return await findTarget(options, env);
}

async function findTarget(options: TargetOptions, env: Environment): Promise<Target> {
  const named = env.get("BTRDB_PROFILE");
  const endpoints = env.get("BTRDB_ENDPOINTS");
  const apiKey = options.apiKey ?? env.get("BTRDB_API_KEY");
  if (endpoints !== undefined && apiKey !== undefined) return parseTarget(endpoints, apiKey);
  const { path, profile } = await readProfile(named ?? "default", named !== undefined, env);
  const found = endpoints ?? profile?.endpoints;
  if (found === undefined) throw notFound(path, env);
  return parseTarget(found, apiKey ?? profile?.apiKey);
}

function notFound(path: string | undefined, env: Environment): BTrDBError {
  const denied = env.denied.size === 0
    ? ""
    : `; ${[...env.denied].map((name) => `$${name}`).join(", ")} may not be read ` +
      `(Deno needs --allow-env)`;
  return new BTrDBError(
    `Cannot connect: no target was given and none is configured. Pass a target ("host:4410", "file:grid.btrdb" or ` +
      `"memory:"), set $BTRDB_ENDPOINTS (and $BTRDB_API_KEY), name a profile with the option ` +
      `"profile" or $BTRDB_PROFILE, or write a default profile into ` +
      `${path ?? "~/.predictivegrid/credentials.yaml"}; see docs/connecting.md${denied}`,
    { status: "NOT_CONFIGURED" },
  );
}

const SCHEME = /^[a-z][a-z+.-]*:\/\//i;
const WEB_SCHEME = /^grpc-web(\+tls)?:\/\//i;
const HAS_PORT = /:\d+\/?$/;

/**
 * Parses a target.
 *
 * @param target `"memory:"`, `"file:PATH"`, or addresses separated by commas.
 * @param apiKey Key to show to a server.
 * @throws {TypeError} If it is of none of these forms.
 */
export function parseTarget(target: string, apiKey?: string): Target {
  if (typeof target !== "string") refuse(target, "is not a string");
  const text = target.trim();
  if (text === "memory:") return { kind: "memory" };
  if (text.startsWith("file:")) return { kind: "file", path: pathOf(text) };
  if (text.includes("@")) {
    refuse(target, "holds a user or password, expected the key in the option apiKey");
  }
  const endpoints = text.split(",").map((part) => part.trim()).filter((part) => part !== "");
  if (endpoints.length === 0) refuse(target, "is empty");
  for (const endpoint of endpoints) checkEndpoint(target, endpoint);
  const web = endpoints.filter((endpoint) => WEB_SCHEME.test(endpoint));
  if (web.length > 0 && web.length < endpoints.length) {
    refuse(target, `mixes gRPC and gRPC-Web`);
  }
  return { kind: web.length > 0 ? "grpc-web" : "grpc", endpoints, apiKey };
}

function pathOf(text: string): string {
  const path = text.startsWith("file://") ? urlPath(text) : text.slice("file:".length);
  if (path === "") refuse(text, "names no file");
  if (path.includes("\0")) refuse(text, "has a NUL in its path");
  return path;
}

function urlPath(text: string): string {
  try {
    return fileURLToPath(text);
  } catch {
    refuse(text, "is not a file URL");
  }
}

/** Addresses themselves are parsed by the transport; here goes what is no address at all. */
function checkEndpoint(target: string, endpoint: string): void {
  if (SCHEME.test(endpoint)) return;
  if (endpoint === "memory") refuse(target, `has no colon at its end, expected "memory:"`);
  if ((endpoint.match(/:/g)?.length ?? 0) > 1 && !endpoint.startsWith("[")) {
    refuse(target, `has more than one colon, expected IPv6 addresses in brackets: "[::1]:4410"`);
  }
  if (!HAS_PORT.test(endpoint)) refuse(target, `names no port`);
}

function refuse(target: unknown, problem: string): never {
  const shown = typeof target === "string" ? shownAddress(target) : target;
  throw invalidType(
    `Cannot connect: target ${JSON.stringify(shown)} ${problem}; expected "host:4410", ` +
      `"[::1]:4410", "btrdb+tls://host", several of them with commas, "file:grid.btrdb" or "memory:"`,
  );
}
