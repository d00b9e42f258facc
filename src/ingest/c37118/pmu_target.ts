/**
 * Addresses of live data streams, as URLs.
 *
 * @module
 */

import { text as checkText } from "../../client/arguments.ts";
import { checkObject } from "../../core/check_object.ts";
import { outOfRange } from "../../core/argument_error.ts";

/** Address of a live data stream, in its parts. */
export interface PmuTarget {
  /** Way of the data: TCP, UDP both ways, commands by TCP and data by UDP, or UDP unasked. */
  readonly transport: "tcp" | "udp" | "tcp+udp" | "listen";
  /** Host of the device; of `listen` the address to listen on. */
  readonly hostname: string;
  /** Port of the device; of `listen` the port to listen on. */
  readonly port: number;
  /** Number of the data stream asked for; without it nothing is asked. */
  readonly id: number | undefined;
  /** Kind of configuration asked for. */
  readonly cfg: 2 | 3;
  /** Local UDP port of the data, of `tcp+udp`. */
  readonly dataPort: number | undefined;
  /** The address as written. */
  readonly text: string;
}

/** TCP port of the standard (Annex E). */
const TCP_PORT = 4712;
/** UDP port of the standard. */
const UDP_PORT = 4713;
const KNOWN: readonly string[] = ["id", "cfg", "data"];

/**
 * Reads the address of a live data stream.
 *
 * - `c37118://host:4712?id=7`: TCP. `&data=4713`: commands by TCP, data by UDP to that port here.
 * - `c37118+udp://host:4713?id=7`: commands and data by UDP.
 * - `c37118+udp://0.0.0.0:4713` without `id`: listens for data that are sent unasked.
 * - `host:4712`: as `c37118://host:4712`.
 *
 * @param text The address; `&cfg=3` asks for CFG-3.
 * @param defaults Used where the address does not say: number of the data stream, configuration.
 * @throws {RangeError} If it is none.
 */
export function parsePmuTarget(
  text: string,
  defaults: { id?: number | undefined; cfg?: 2 | 3 | undefined } = {},
): PmuTarget {
  checkText("use the address", text, "target");
  checkObject("use the address", "options", defaults);
  const match =
    /^(?:(c37118(?:\+udp|\+tcp)?):\/\/)?(\[[0-9a-f:.%]+\]|[^\s:/?#[\]]+)(?::(\d{1,5}))?\/?(?:\?(.*))?$/i
      .exec(text);
  if (match === null) {
    throw outOfRange(
      `Cannot use the address ${JSON.stringify(text)}: expected c37118://HOST:4712?id=N or ` +
        "c37118+udp://HOST:4713",
    );
  }
  const [, scheme = "c37118", host, portText, query = ""] = match;
  const isUdp = scheme.toLowerCase() === "c37118+udp";
  const parameters = new URLSearchParams(query);
  for (const name of parameters.keys()) {
    if (!KNOWN.includes(name)) {
      throw outOfRange(
        `Cannot use the address ${JSON.stringify(text)}: ${name} is not known, expected ` +
          KNOWN.join(", "),
      );
    }
  }
  const number = (name: string, least: number, most: number): number | undefined => {
    const value = parameters.get(name);
    if (value === null) return undefined;
    if (/^\d{1,5}$/.test(value) && Number(value) >= least && Number(value) <= most) {
      return Number(value);
    }
    throw outOfRange(
      `Cannot use the address ${JSON.stringify(text)}: ${name} is ${JSON.stringify(value)}, ` +
        `expected ${least} to ${most}`,
    );
  };
  const port = portText === undefined ? (isUdp ? UDP_PORT : TCP_PORT) : Number(portText);
  if (port > 65_535 || port === 0 && !isUdp) {
    throw outOfRange(
      `Cannot use the address ${JSON.stringify(text)}: port is ${port}, expected 1 to 65535`,
    );
  }
  const id = number("id", 1, 65_534) ?? defaults.id;
  const cfg = (number("cfg", 2, 3) ?? defaults.cfg ?? 2) as 2 | 3;
  const dataPort = number("data", 0, 65_535);
  if (isUdp && dataPort !== undefined) {
    throw outOfRange(
      `Cannot use the address ${JSON.stringify(text)}: data belongs to c37118://`,
    );
  }
  const transport = isUdp
    ? (id === undefined ? "listen" : "udp")
    : dataPort === undefined
    ? "tcp"
    : "tcp+udp";
  const hostname = host!.replace(/^\[|\]$/g, "");
  return { transport, hostname, port, id, cfg, dataPort, text };
}
