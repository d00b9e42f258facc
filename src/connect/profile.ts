/**
 * The credentials file that BTrDB's Python client reads too:
 * `{ profile: { btrdb: { endpoints, api_key } } }` in YAML.
 *
 * @module
 */

import { join } from "node:path";
import { BTrDBError } from "../core/errors.ts";
import { NotAFileError, readPlainText } from "../core/plain_file.ts";
import type { Environment } from "./environment.ts";

/** Contents of a profile. */
export interface Profile {
  endpoints: string | undefined;
  apiKey: string | undefined;
}

/** A profile, where it is, and whether it is there. */
export interface ProfileLookup {
  /** Path of the file, or `undefined` where no home directory is known. */
  path: string | undefined;
  /** `undefined` when file or profile do not exist and nobody insisted on them. */
  profile: Profile | undefined;
}

/**
 * Reads a profile.
 *
 * @param name Name of the profile.
 * @param required True if it is an error when file or profile do not exist.
 * @param env Environment with the home directory.
 * @throws {BTrDBError} Status `NOT_CONFIGURED`: no such file or profile, or not as it should be.
 */
export async function readProfile(
  name: string,
  required: boolean,
  env: Environment,
): Promise<ProfileLookup> {
  const home = env.get("HOME") ?? env.get("USERPROFILE");
  if (home === undefined) {
    if (required) refuse(name, "the home directory is unknown, expected $HOME");
    return { path: undefined, profile: undefined };
  }
  const path = join(home, ".predictivegrid", "credentials.yaml");
  const source = await readText(name, path, required);
  if (source === undefined) return { path, profile: undefined };
  const profiles = await parseProfiles(name, path, source);
  const section = profiles[name];
  if (section === undefined && !required) return { path, profile: undefined };
  if (section === undefined) {
    const names = Object.keys(profiles).map((known) => `"${known}"`).join(", ") || "none";
    refuse(name, `${path} has no such profile, it has ${names}`);
  }
  return { path, profile: profileOf(name, path, section) };
}

async function readText(
  name: string,
  path: string,
  required: boolean,
): Promise<string | undefined> {
  try {
    return await readPlainText(path);
  } catch (error) {
    if (error instanceof NotAFileError) refuse(name, error.message);
    if (!required) return undefined;
    refuse(name, `${path} cannot be read`, error);
  }
}

async function parseProfiles(
  name: string,
  path: string,
  source: string,
): Promise<Record<string, unknown>> {
  const { parse } = await import("yaml");
  let content: unknown;
  try {
    // Warnings and errors of the parser quote lines of the file, which may be those with the key.
    content = parse(source, { logLevel: "error" });
  } catch (error) {
    refuse(name, `${path} is not YAML${placeOf(error)}`);
  }
  if (content === null || content === undefined) return {};
  if (!isObject(content)) refuse(name, `${path} does not map profiles to credentials`);
  return content;
}

/** The line and column at which the parser gave up, if it says so. */
function placeOf(error: unknown): string {
  const [place] = (error as { linePos?: { line: number; col: number }[] }).linePos ?? [];
  return place === undefined ? "" : ` (line ${place.line}, column ${place.col})`;
}

function profileOf(name: string, path: string, section: unknown): Profile {
  const btrdb = isObject(section) ? section.btrdb : undefined;
  if (!isObject(btrdb)) refuse(name, `the profile in ${path} has no "btrdb" section`);
  const { endpoints, api_key: apiKey } = btrdb;
  const list = Array.isArray(endpoints) ? endpoints.join(",") : endpoints;
  return {
    endpoints: textOf(name, path, "endpoints", list),
    apiKey: textOf(name, path, "api_key", apiKey),
  };
}

function textOf(name: string, path: string, key: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string") refuse(name, `"${key}" in ${path} is not a string`);
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refuse(name: string, problem: string, cause?: unknown): never {
  throw new BTrDBError(`Cannot use profile ${JSON.stringify(name)}: ${problem}`, {
    status: "NOT_CONFIGURED",
    cause,
  });
}
