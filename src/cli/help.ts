/**
 * Help texts, from the descriptions of the commands.
 *
 * @module
 */

import type { CommandDescription, CommandEntry } from "./command_entry.ts";
import { GLOBAL_OPTIONS, type OptionSpec, type OptionSpecs } from "./words/option.ts";
import type { Style } from "./terminal/style.ts";

const LINE = 100;

/** Notes that apply to all commands. */
export const NOTES: readonly string[] = [
  "A STREAM is a uuid or COLLECTION/NAME; COLLECTION/* stands for all streams of a collection.",
  "Times: 2024-03-01, 2024-03-01T12:30:05.25Z, today, now-2h, 2h (ago), +30m (after the start), " +
  "first+1h, last-10m, or ns since 1970. Durations: 1.5s, 200ms, 8333333ns, 1h30m, 1d.",
  "Exit status: 0 done, 1 failed, 2 usage, 3 not found, 4 unreachable, " +
  "130 interrupted, 143 terminated.",
  "A closed pipe, as after head, ends the output with status 0; diff, verify, cp, retain, import and " +
  "ingest carry on, and keep their status.",
];

/** The help of the program: its commands and the options of all of them. */
export function programHelp(commands: readonly CommandEntry[], style: Style): string {
  const width = Math.max(...commands.map(({ name, args }) => `${name} ${args}`.trimEnd().length));
  const groups = [...new Set(commands.map(({ group }) => group))];
  const lists = groups.map((group) =>
    `${style.bold(`${group}:`)}\n` +
    commands.filter((entry) => entry.group === group).map(({ name, args, summary }) =>
      `  ${`${name} ${args}`.trimEnd().padEnd(width)}  ${summary}\n`
    ).join("")
  );
  return `btrdb: the Berkeley Tree Database on the command line

${style.bold("Usage:")} btrdb [OPTION…] COMMAND [ARGUMENT…]

${lists.join("\n")}
${style.bold("Options of every command:")}
${optionList(GLOBAL_OPTIONS)}
${NOTES.map((note) => `${wrap(note, LINE)}\n`).join("")}
\`btrdb help COMMAND\` shows the options and examples of a command.
`;
}

/** The help of one command. */
export function commandHelp(command: CommandDescription, style: Style): string {
  const usage = ["btrdb", command.name, "[OPTION…]", command.args].filter((word) => word !== "");
  const paragraphs = (command.about ?? []).map((text) => `${wrap(text, LINE)}\n\n`).join("");
  const options = Object.keys(command.options).length === 0
    ? ""
    : `${style.bold("Options:")}\n${optionList(command.options)}\n`;
  const json = command.json === undefined
    ? ""
    : `${style.bold("JSON:")}\n${indent(wrap(command.json, LINE - 2))}\n\n`;
  const examples = command.examples.map(({ line, about }) => `  ${line}\n      ${about}\n`).join(
    "",
  );
  return `${command.summary}

${style.bold("Usage:")} ${usage.join(" ")}

${paragraphs}${options}${json}${style.bold("Examples:")}
${examples}
Options of every command: see \`btrdb help\`.
`;
}

function optionList(options: OptionSpecs): string {
  const entries = Object.entries(options).map(([name, spec]) =>
    [optionName(name, spec), spec] as const
  );
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.map(([name, spec]) => {
    const [first, ...more] = wrap(aboutOf(spec), LINE - width - 4).split("\n");
    const rest = more.map((line) => `${" ".repeat(width + 4)}${line}\n`).join("");
    return `  ${name.padEnd(width)}  ${first}\n${rest}`;
  }).join("");
}

function optionName(name: string, spec: OptionSpec): string {
  const short = spec.short === undefined ? "    " : `-${spec.short}, `;
  return `${short}--${name}${spec.value === undefined ? "" : ` ${spec.value}`}`;
}

/** Description of an option, with its choices. */
export function aboutOf(spec: OptionSpec): string {
  return spec.choices === undefined ? spec.about : `${spec.about} (${spec.choices.join(", ")})`;
}

function indent(text: string): string {
  return text.split("\n").map((line) => `  ${line}`).join("\n");
}

/** Breaks text into lines of at most `width` characters. */
function wrap(text: string, width: number): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join("\n");
}
