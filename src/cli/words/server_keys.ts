/** API keys of `btrdb serve`: from options, a file and the environment. @module */

import type { ApiKey, Capability } from "../../server/mod.ts";
import { usageError } from "../errors.ts";

const CAPABILITIES: readonly Capability[] = ["read", "insert", "delete", "obliterate", "admin"];

/** Text of a key, which may end in the padding of base64, and capabilities behind it. */
const KEY = /^([^=]+={0,2})(?:=([a-z,]*))?$/;

/** A key in base64 with padding. */
const PADDED = /^(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{3}=|[A-Za-z0-9+/_-]{2}==)$/;

/**
 * The key of an option `KEY[=LIST]`.
 *
 * @throws A usage error, which repeats nothing of the key.
 */
export function serverKey(text: string): ApiKey {
  const [, key = "", list] = KEY.exec(text) ?? [];
  const wanted = list === undefined ? CAPABILITIES : list.split(",");
  const capabilities = CAPABILITIES.filter((capability) => wanted.includes(capability));
  const isPlain = !key.includes("=") || PADDED.test(key);
  if (key === "" || !isPlain || capabilities.length !== wanted.length) {
    throw usageError(`Cannot use --api-key: expected KEY or KEY=${CAPABILITIES.join(",")}`);
  }
  return { key, capabilities };
}

/**
 * Keys in JSON: `[{ "key": …, "capabilities": […], "collectionPrefixes": […] }]`, of which only the
 * first is needed.
 *
 * @param source Name of the file or variable, for errors.
 * @throws A usage error, which repeats nothing of the text.
 */
export function serverKeys(text: string, source: string): ApiKey[] {
  let list: unknown;
  try {
    // Editors may begin a file with a byte order mark.
    list = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    throw usageError(`Cannot use ${source}: it is not JSON`);
  }
  if (!Array.isArray(list) || list.length === 0) {
    throw usageError(`Cannot use ${source}: expected a JSON array of keys, at least one`);
  }
  const keys = list.map((entry: unknown, i) => keyOf(entry, `${source}: key ${i + 1}`));
  const members = list.reduce((sum: number, entry) => sum + Object.keys(entry).length, 0);
  if (membersIn(text) === members) return keys;
  throw usageError(`Cannot use ${source}: a key has a member twice`);
}

/**
 * Number of members of objects in valid JSON. Of two of one name the parser drops the first one,
 * whichever was meant.
 */
function membersIn(json: string): number {
  let members = 0;
  for (const [, colon] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"\s*(:?)/g)) {
    if (colon !== "") members++;
  }
  return members;
}

function keyOf(entry: unknown, name: string): ApiKey {
  const bad = (why: string) => usageError(`Cannot use ${name} ${why}`);
  if (typeof entry !== "object" || entry === null) throw bad("is not an object");
  const { key, capabilities = CAPABILITIES, collectionPrefixes, ...rest } = entry as Record<
    string,
    unknown
  >;
  if (typeof key !== "string" || !/^[\x21-\x7e]+$/.test(key)) {
    throw bad("has no text of visible ASCII characters in `key`");
  }
  if (!isTexts(capabilities) || !capabilities.every((one) => isCapability(one))) {
    throw bad(`has other \`capabilities\` than ${CAPABILITIES.join(", ")}`);
  }
  if (collectionPrefixes !== undefined && !isTexts(collectionPrefixes)) {
    throw bad("has `collectionPrefixes` that are not an array of texts");
  }
  if (Object.keys(rest).length > 0) {
    throw bad("has members beside key, capabilities and collectionPrefixes");
  }
  return { key, capabilities: capabilities as Capability[], collectionPrefixes };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function isCapability(text: string): text is Capability {
  return (CAPABILITIES as readonly string[]).includes(text);
}
