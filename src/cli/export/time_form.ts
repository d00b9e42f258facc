/**
 * The form of the times of an export.
 *
 * @module
 */

import type { TimeWord } from "../../csv/time_text.ts";
import { usageError } from "../errors.ts";
import type { Args } from "../words/parse_args.ts";
import type { OptionSpecs } from "../words/option.ts";

/** Form of times, and the zone of their clocks. */
export interface ExportTimes {
  /** Absent: the form that the format has by itself. */
  as: TimeWord | undefined;
  tz: string;
  /** True if the readable column of CSV is in the zone. */
  isReadableIn: boolean;
}

/** The option that names the form. */
export const TIME_OPTIONS: OptionSpecs = {
  "time-as": {
    value: "FORM",
    choices: ["ns", "rfc3339", "naive"],
    about:
      "One column of times: ns since 1970, RFC 3339, or as clocks of --tz show them, without the zone",
  },
};

/**
 * The form that the options name.
 *
 * @param tz The zone that `--tz` means.
 * @throws {CliError} Usage error, if the format has no such form, or the zone would change nothing.
 */
export function exportTimes(args: Args, format: string, tz: string): ExportTimes {
  const as = args.text("time-as") as TimeWord | undefined;
  const isColumnar = format === "parquet" || format === "arrow";
  if (as !== undefined && format === "comtrade") {
    throw usageError("Cannot use --time-as with comtrade: its times are those of its samples");
  }
  if (as === "rfc3339" && isColumnar) {
    throw usageError(
      `Cannot use --time-as rfc3339 with ${format}: its times are instants, not text`,
      "leave it out, or use --time-as ns or --time-as naive",
    );
  }
  if (as !== undefined && args.has("resume")) {
    throw usageError("Cannot use --resume with --time-as: only times in ns can be continued");
  }
  const isReadableIn = format === "csv" && as === undefined && args.has("tz");
  const isUsed = isReadableIn || as === "naive" || (as === "rfc3339" && !isColumnar);
  if (args.has("tz") && !isUsed && !args.has("start") && !args.has("end")) {
    throw usageError(
      `Cannot use --tz with ${as === undefined ? format : `--time-as ${as}`}: ` +
        "no time is read or shown in a zone",
      isColumnar || format === "ndjson"
        ? "for times as clocks of the zone show them, add --time-as naive"
        : undefined,
    );
  }
  return { as, tz, isReadableIn };
}
