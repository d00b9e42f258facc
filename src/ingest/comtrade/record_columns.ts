/**
 * Channels of a record as columns of points.
 *
 * @module
 */

import type { AnalogChannel, Configuration, StatusChannel } from "./configuration.ts";
import type { StatusChoice } from "./status_points.ts";

/** A channel of a record as a column of points. */
export interface ComtradeColumn {
  /** Identifier; numbered where several channels have the same, or none. */
  readonly name: string;
  /** The channel, if it is one of measured values. */
  readonly analog: AnalogChannel | undefined;
  /** The channel, if it is one of states. */
  readonly status: StatusChannel | undefined;
}

/** Channels with names that differ. */
export function columnsOf(
  { analogs, statuses }: Configuration,
  choice: StatusChoice,
): ComtradeColumn[] {
  const seen = new Map<string, number>();
  const nameOf = (id: string, otherwise: string): string => {
    const wanted = id === "" ? otherwise : id;
    const count = (seen.get(wanted) ?? 0) + 1;
    seen.set(wanted, count);
    return count === 1 ? wanted : nameOf(`${wanted}#${count}`, "");
  };
  return [
    ...analogs.map((analog, i) => ({
      name: nameOf(analog.id, `A${i + 1}`),
      analog,
      status: undefined,
    })),
    ...(choice === "none" ? [] : statuses).map((status, i) => ({
      name: nameOf(status.id, `D${i + 1}`),
      analog: undefined,
      status,
    })),
  ];
}
