/**
 * Parameters of the write requests of InfluxDB's three APIs.
 *
 * @module
 */

import { HOUR, MICROSECOND, MILLISECOND, MINUTE, NANOSECOND, SECOND } from "../../../core/time.ts";
import type { LineDestination } from "../../../core/collection_template.ts";
import { HttpFailure } from "../http_failure.ts";

/** An API of InfluxDB. */
export type WriteApi = "v1" | "v2" | "v3";

/** Contents of the URL of a write request. */
export interface WriteTarget extends LineDestination {
  readonly api: WriteApi;
  /** ns of a unit of the times; `0n` if that is guessed by their size. */
  readonly unit: bigint;
}

/** Units of times, by the names that any of the APIs has for them. */
const UNITS: Readonly<Record<string, bigint>> = {
  n: NANOSECOND,
  ns: NANOSECOND,
  nanosecond: NANOSECOND,
  u: MICROSECOND,
  "µ": MICROSECOND,
  us: MICROSECOND,
  microsecond: MICROSECOND,
  ms: MILLISECOND,
  millisecond: MILLISECOND,
  s: SECOND,
  second: SECOND,
  m: MINUTE,
  h: HOUR,
};

/** An API's parameters: the name of the bucket, units, and those that change nothing here. */
interface Form {
  readonly bucket: "db" | "bucket";
  readonly units: readonly string[];
  readonly otherwise: bigint;
  readonly others: readonly string[];
}

const FORMS: Readonly<Record<WriteApi, Form>> = {
  v1: {
    bucket: "db",
    units: ["n", "ns", "u", "us", "µ", "ms", "s", "m", "h"],
    otherwise: NANOSECOND,
    others: ["rp", "consistency", "u"],
  },
  v2: {
    bucket: "bucket",
    units: ["ns", "us", "ms", "s"],
    otherwise: NANOSECOND,
    others: ["org", "orgID"],
  },
  v3: {
    bucket: "db",
    units: ["auto", "nanosecond", "microsecond", "millisecond", "second", "ns", "us", "ms", "s"],
    otherwise: 0n,
    // Whatever is acknowledged is durable here, which is more than `no_sync` asks for.
    others: ["no_sync", "accept_partial"],
  },
};

/**
 * Reads the parameters of a write request.
 *
 * @throws {HttpFailure} If one is missing, unknown, repeated or of no use.
 */
export function writeTarget(api: WriteApi, parameters: URLSearchParams): WriteTarget {
  const form = FORMS[api];
  checkNames(parameters, [form.bucket, "precision", ...form.others]);
  if (parameters.get("accept_partial") === "false") {
    throw new HttpFailure(400, "accept_partial=false is not supported: good lines are stored");
  }
  const bucket = parameters.get(form.bucket) ?? "";
  if (bucket === "") throw new HttpFailure(400, `${form.bucket} is required`);
  const precision = parameters.get("precision") ?? "";
  if (precision !== "" && !form.units.includes(precision)) {
    throw new HttpFailure(
      400,
      `invalid precision ${JSON.stringify(precision)}; expected one of ${form.units.join(", ")}`,
    );
  }
  return {
    api,
    bucket,
    org: parameters.get("org") ?? parameters.get("orgID") ?? "",
    rp: parameters.get("rp") ?? "",
    unit: precision === "" ? form.otherwise : UNITS[precision] ?? 0n,
  };
}

/**
 * Checks that parameters are known, and none comes twice.
 *
 * @throws {HttpFailure} If not.
 */
export function checkNames(parameters: URLSearchParams, known: readonly string[]): void {
  const seen = new Set<string>();
  for (const [name] of parameters) {
    if (name === "p") {
      throw new HttpFailure(400, "a password or key in a URL is not taken, send it in a header");
    }
    if (!known.includes(name)) {
      throw new HttpFailure(
        400,
        `unknown parameter ${JSON.stringify(name.slice(0, 100))}; expected ${known.join(", ")}`,
      );
    }
    if (seen.has(name)) throw new HttpFailure(400, `parameter ${name} is given more than once`);
    seen.add(name);
  }
}
