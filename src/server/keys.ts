/**
 * API keys with capabilities, optionally limited to collections
 * (docs/server.md, "Keys").
 *
 * @module
 */

import { createHash, randomBytes } from "node:crypto";
import { GrpcFailure, GrpcStatus } from "./transport/status.ts";
import { invalidType } from "../core/argument_error.ts";
import { describe } from "../core/describe.ts";
import { checkNames } from "../core/check_names.ts";

/** Permission that a key may grant. */
export type Capability = "read" | "insert" | "delete" | "obliterate" | "admin";

/** Permissions of a caller. */
export interface Grant {
  /** Permitted operations. */
  capabilities: readonly Capability[];
  /**
   * Only with streams whose collection begins with one of these.
   *
   * @default every collection
   */
  collectionPrefixes?: readonly string[] | undefined;
}

/** One API key. */
export interface ApiKey extends Grant {
  /** The secret, as clients send it. */
  key: string;
}

const CAPABILITIES: ReadonlySet<string> = new Set([
  "read",
  "insert",
  "delete",
  "obliterate",
  "admin",
]);

/** Most texts of which is known what they are. */
const MAX_FOUND = 1_000;

/** Length of what stands around a key in an `authorization`: the scheme and blanks. */
const MAX_AROUND = 32;

const EVERYTHING: Grant = { capabilities: [...CAPABILITIES] as Capability[] };
const NOTHING: Grant = { capabilities: [] };

/** The keys of a server. */
export class KeyRing {
  /** Keys by their digests. */
  readonly #keys: ReadonlyMap<string, Grant>;
  readonly #anonymous: Grant;
  /** Longest `authorization` that can be right. */
  readonly #longest: number;
  /** Keys that were looked for lately: a call looks several times. Undefined: there is no such key. */
  readonly #found = new Map<string, Grant | undefined>();

  /**
   * @param given Keys; absent or empty: everybody may do everything. `null` is an error, as it may be a list
   * that could not be read.
   * @param anonymous Rights of callers without a key if there are keys; absent: none.
   * @throws {TypeError} If a key is empty, is given twice or has an unknown capability.
   */
  constructor(given: readonly ApiKey[] | undefined, anonymous: Grant | undefined) {
    const keys = given === undefined ? [] : given;
    if (!Array.isArray(keys)) {
      // Perhaps it is a key itself.
      throw invalidType("Cannot serve: apiKeys is no array of keys");
    }
    checkKeys(keys);
    if (anonymous !== undefined) {
      checkNames("serve", "anonymous", anonymous, NAMES);
      checkRights(anonymous);
    }
    this.#keys = new Map(keys.map((key) => [digest(key.key), key]));
    this.#longest = keys.reduce((most, { key }) => Math.max(most, key.length), 0) + MAX_AROUND;
    this.#anonymous = anonymous ?? (keys.length === 0 ? EVERYTHING : NOTHING);
  }

  /**
   * The grant of a caller. Keys are looked for by digests with a secret of this process: the time
   * taken tells nothing about how much of a guess was right, and does not grow with the number of keys.
   *
   * @param authorization The `authorization` header: `bearer <key>`, in any case; absent: no key.
   * @throws {GrpcFailure} UNAUTHENTICATED, if there is a key and it is wrong.
   */
  grantOf(authorization: string | undefined): Grant {
    if (authorization === undefined || this.#keys.size === 0) return this.#anonymous;
    const found = this.#find(authorization);
    if (found === undefined) throw new GrpcFailure(GrpcStatus.UNAUTHENTICATED, "invalid api key");
    return found;
  }

  /** True if nobody needs a key. */
  get isEmpty(): boolean {
    return this.#keys.size === 0;
  }

  /**
   * Owner of a share of the places for calls: a key, or all callers without a known one.
   *
   * @returns Undefined where there is nobody to share with: without keys, and for the only key.
   */
  ownerOf(grant: Grant): Grant | undefined {
    if (this.#keys.size === 0) return undefined;
    return this.#keys.size === 1 && grant !== this.#anonymous ? undefined : grant;
  }

  /** Tells whether a caller has a right key, or there are no keys. */
  isKnown(authorization: string | undefined): boolean {
    return this.keyOf(authorization) !== undefined;
  }

  /** The grant of a right key, or that of everybody if there are no keys; undefined without a right one. */
  keyOf(authorization: string | undefined): Grant | undefined {
    if (this.#keys.size === 0) return this.#anonymous;
    return authorization === undefined ? undefined : this.#find(authorization);
  }

  #find(authorization: string): Grant | undefined {
    if (authorization.length > this.#longest) return undefined;
    if (this.#found.has(authorization)) return this.#found.get(authorization);
    const found = this.#search(authorization);
    if (this.#found.size >= MAX_FOUND) this.#found.clear();
    this.#found.set(authorization, found);
    return found;
  }

  #search(authorization: string): Grant | undefined {
    const match = /^bearer +([\x21-\x7e]+) *$/i.exec(authorization);
    return match === null ? undefined : this.#keys.get(digest(match[1]!));
  }
}

/** Nobody else can make a digest that resembles that of a key. */
const SECRET = randomBytes(32);

function digest(key: string): string {
  return createHash("sha256").update(SECRET).update(key, "utf8").digest("base64");
}

const NAMES = { key: true, capabilities: true, collectionPrefixes: true };

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

/** Checks keys. An error names the place of one, and repeats nothing of what stands there. */
function checkKeys(keys: readonly ApiKey[]): void {
  const places = new Map<string, number>();
  // `entries` has the holes of an array too.
  for (const [i, entry] of keys.entries()) {
    const bad = (why: string) => invalidType(`Cannot serve: apiKeys[${i}] ${why}`);
    if (typeof entry !== "object" || entry === null) throw bad("is no object");
    if (Object.keys(entry).some((name) => !Object.hasOwn(NAMES, name))) {
      throw bad(`has other members than ${Object.keys(NAMES).join(", ")}`);
    }
    checkKey(entry.key);
    checkRights(entry);
    // Of two with different rights, either could be the one that was meant.
    const before = places.get(entry.key);
    if (before !== undefined) throw bad(`is the same key as apiKeys[${before}], expected it once`);
    places.set(entry.key, i);
  }
}

function checkKey(key: unknown): void {
  if (typeof key === "string" && /^[\x21-\x7e]+$/.test(key)) return;
  throw invalidType("Cannot use an API key: expected visible ASCII characters only, at least one");
}

/** Checks rights. An error names no key. */
function checkRights(grant: Grant): void {
  const { capabilities, collectionPrefixes } = grant;
  if (!isTexts(capabilities)) {
    throw invalidType(
      `Cannot use an API key: capabilities is ${
        describe(capabilities)
      }, expected an array of texts`,
    );
  }
  // A text alone would be a list of characters.
  if (collectionPrefixes !== undefined && !isTexts(collectionPrefixes)) {
    throw invalidType(
      `Cannot use an API key: collectionPrefixes is ${describe(collectionPrefixes)}, ` +
        "expected an array of texts",
    );
  }
  for (const capability of capabilities) {
    if (!CAPABILITIES.has(capability)) {
      throw invalidType(
        `Cannot use an API key: ${JSON.stringify(capability)} is not a capability, ` +
          `expected one of ${[...CAPABILITIES].join(", ")}`,
      );
    }
  }
}
