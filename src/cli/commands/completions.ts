/** `btrdb completions`: prints completion scripts for shells. @module */

import type { Command } from "../command.ts";
import type { CommandEntry } from "../command_entry.ts";
import { GLOBAL_OPTIONS, type OptionSpecs } from "../words/option.ts";
import { usageError } from "../errors.ts";

const SHELLS = ["bash", "zsh", "fish"];

const command: Command = {
  name: "completions",
  args: "SHELL",
  arity: [1, 1],
  summary: "Print a completion script for bash, zsh or fish",
  options: {},
  examples: [
    {
      line: 'eval "$(btrdb completions bash)"',
      about: "In ~/.bashrc; zsh is the same in ~/.zshrc",
    },
    {
      line: "btrdb completions fish > ~/.config/fish/completions/btrdb.fish",
      about: "For fish, once",
    },
  ],
  async run(context, { positionals: [shell] }) {
    if (!SHELLS.includes(shell!)) {
      throw usageError(`Unknown shell "${shell}": expected bash, zsh or fish`);
    }
    const commands: Known[] = [];
    for (const { name, summary, load } of context.commands) {
      const { options } = (await load()).default;
      commands.push({ name, summary, options, choices: choicesOf(name, context.commands) });
    }
    if (shell === "bash") context.print(bashScript(commands));
    if (shell === "zsh") {
      context.print(`autoload -U +X bashcompinit && bashcompinit\n${bashScript(commands)}`);
    }
    if (shell === "fish") context.print(fishScript(commands));
  },
};

interface Known {
  name: string;
  summary: string;
  options: OptionSpecs;
  /** Words its arguments may be, where there is a list. */
  choices: readonly string[] | undefined;
}

function choicesOf(name: string, commands: readonly CommandEntry[]): readonly string[] | undefined {
  if (name === "completions") return SHELLS;
  if (name === "distil") return ["run", "follow", "status", "ls"];
  return name === "help" ? commands.map((one) => one.name) : undefined;
}

function flags(options: OptionSpecs): string {
  return Object.keys(options).map((name) => `--${name}`).join(" ");
}

/** The words that give an option, as patterns of a shell: `-d | --database`. */
function spellings(options: readonly (readonly [string, OptionSpecs[string]])[]): string[] {
  return options.flatMap(([name, { short }]) =>
    short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`]
  );
}

/** Options that take a value, of all commands; the same name always takes one. */
function takingValues(): string[] {
  return spellings(Object.entries(GLOBAL_OPTIONS).filter(([, { value }]) => value !== undefined));
}

/**
 * Completes commands, then the options of the command and their values, then files. Bash breaks
 * words at colons: a target is several of them.
 */
function bashScript(commands: readonly Known[]): string {
  // The same option has other values with other commands.
  const valuesOf = (command: string, options: OptionSpecs): string[] =>
    Object.entries(options).flatMap(([name, { choices }]) =>
      choices === undefined ? [] : [`    ${command}" --${name}") words="${choices.join(" ")}" ;;`]
    );
  const values = [
    ...commands.flatMap(({ name, options }) => valuesOf(name, options)),
    ...valuesOf("*", GLOBAL_OPTIONS),
  ];
  const cases = commands.map(({ name, options, choices }) =>
    `    ${name}) words="${`${flags(options)} ${flags(GLOBAL_OPTIONS)}`.trim()}"` +
    `${choices === undefined ? "" : ` rest="${choices.join(" ")}"`} ;;`
  );
  return `# Completion of btrdb for bash
_btrdb() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="" command="" words="" rest="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
    ${takingValues().join(" | ")})
      [[ \${COMP_WORDS[i + 1]} == "=" ]] && i=$((i + 1))
      i=$((i + 1))
      while [[ \${COMP_WORDS[i + 1]} == ":" ]]; do i=$((i + 2)); done
      ;;
    -*) ;;
    *) command="\${COMP_WORDS[i]}"; break ;;
    esac
  done
  before="\${COMP_WORDS[COMP_CWORD - 1]}"
  [[ $before == "=" ]] && before="\${COMP_WORDS[COMP_CWORD - 2]}"
  [[ $current == "=" || $current == ":" ]] && current=""
  if ((i > COMP_CWORD)) && [[ $before != --protocol ]]; then
    COMPREPLY=()
    return
  fi
  if [[ -z $command ]]; then
    words="${commands.map(({ name }) => name).join(" ")} ${flags(GLOBAL_OPTIONS)}"
  else
    case "$command" in
${cases.join("\n")}
    esac
    [[ $current != -* ]] && words="$rest"
  fi
  case "$command $before" in
${values.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _btrdb btrdb
`;
}

function fishScript(commands: readonly Known[]): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "\\'")}'`;
  const option = (condition: string) => ([name, spec]: [string, OptionSpecs[string]]): string => {
    const short = spec.short === undefined ? "" : ` -s ${spec.short}`;
    const value = spec.value === undefined ? "" : " -r";
    const choices = spec.choices === undefined ? "" : ` -f -a ${quote(spec.choices.join(" "))}`;
    return `complete -c btrdb${condition} -l ${name}${short}${value}${choices} -d ${
      quote(spec.about)
    }`;
  };
  const lines = Object.entries(GLOBAL_OPTIONS).map(option(""));
  for (const { name, summary, options, choices } of commands) {
    const here = ` -n ${quote(`test (__btrdb_command) = ${name}`)}`;
    lines.push(
      `complete -c btrdb -n 'test -z (__btrdb_command)' -f -a ${name} -d ${quote(summary)}`,
      ...Object.entries(options).map(option(here)),
    );
    if (choices !== undefined) {
      lines.push(`complete -c btrdb${here} -f -a ${quote(choices.join(" "))}`);
    }
  }
  return `# Completion of btrdb for fish
function __btrdb_command
  set -l skip 0
  for word in (commandline -opc)[2..]
    if test $skip = 1
      set skip 0
      continue
    end
    switch $word
      case ${takingValues().join(" ")}
        set skip 1
      case '-*'
      case '*'
        echo $word
        return
    end
  end
  echo
end
${lines.join("\n")}
`;
}

export default command;
