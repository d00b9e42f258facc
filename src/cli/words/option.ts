/**
 * Options: what one is, and those that every command takes.
 *
 * @module
 */

/** One option of a command. */
export interface OptionSpec {
  /** One letter, without the dash. */
  short?: string;
  /** Name of the value in help texts, e.g. `"TIME"`; absent: the option is a switch. */
  value?: string;
  /** True if the option may be given more than once. */
  multiple?: boolean;
  /** The values allowed, where there is a list. */
  choices?: readonly string[];
  /** Description; one sentence without full stop. */
  about: string;
}

/** Options by long name, without the dashes. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** Options that every command takes. */
export const GLOBAL_OPTIONS: OptionSpecs = {
  database: {
    short: "d",
    value: "TARGET",
    about: "file:PATH, memory: or HOST:PORT[,…]; by default $BTRDB_ENDPOINTS or the profile",
  },
  json: { about: "Print JSON for machines; 64-bit integers are strings of digits" },
  tz: {
    value: "ZONE",
    about: "Time zone of times read and shown: UTC (default), local, Europe/Berlin",
  },
  "no-color": { about: "No colours, even on a terminal ($NO_COLOR does the same)" },
  quiet: { short: "q", about: "No progress, no summary, only data and errors" },
  timeout: { value: "DURATION", about: "Give up connecting after this long; 10s by default" },
  profile: { value: "NAME", about: "Profile of the credentials file to use" },
  protocol: {
    value: "NAME",
    choices: ["auto", "v4", "v5"],
    about: "Protocol to use with a server",
  },
  debug: { about: "Show the chain of causes of an error" },
  help: { short: "h", about: "Show help" },
};
