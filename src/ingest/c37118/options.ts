/**
 * Checks of options and arguments of C37.118.
 *
 * @module
 */

import { checkList } from "../../core/check_list.ts";
import { checkObject } from "../../core/check_object.ts";
import { describe } from "../../core/describe.ts";
import { outOfRange } from "../../core/argument_error.ts";
import type { Configuration } from "./configuration.ts";

/** An option that must be a whole number in a range. */
export function integerOption(
  action: string,
  value: number,
  name: string,
  least: number,
  most: number,
): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw outOfRange(
    `Cannot ${action}: ${name} is ${
      describe(value)
    }, expected a whole number from ${least} to ${most}`,
  );
}

/** Checks that a configuration has the shape of one: stations, each with lists of its channels. */
export function checkConfiguration(action: string, configuration: Configuration): void {
  checkObject(action, "configuration", configuration);
  checkList(action, "configuration.stations", configuration.stations);
  for (const [i, station] of configuration.stations.entries()) {
    const name = `configuration.stations[${i}]`;
    checkObject(action, name, station);
    for (const kind of ["phasors", "analogs", "digitals"] as const) {
      checkList(action, `${name}.${kind}`, station[kind]);
      for (const [k, channel] of station[kind].entries()) {
        checkObject(action, `${name}.${kind}[${k}]`, channel);
        if (kind === "digitals") {
          checkList(action, `${name}.digitals[${k}].names`, station.digitals[k]!.names);
        }
      }
    }
  }
}
