/** `btrdb completions`: for shells. @module */

import type { Command } from "../command.ts";
import { GLOBAL_OPTIONS, type OptionSpecs } from "../option.ts";
import { usageError } from "../errors.ts";
import { COMMANDS } from "../table.ts";

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
      throw usageError(`Cannot complete in ${shell}: expected ${SHELLS.join(", ")}`);
    }
    const commands: Known[] = [];
    for (const { name, summary, load } of COMMANDS) {
      commands.push({ name, summary, options: (await load()).default.options });
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
}

function flags(options: OptionSpecs): string {
  return Object.keys(options).map((name) => `--${name}`).join(" ");
}

/** Completes commands, then the options of the command, then files. */
function bashScript(commands: readonly Known[]): string {
  const cases = commands.map(({ name, options }) =>
    `    ${name}) words="${`${flags(options)} ${flags(GLOBAL_OPTIONS)}`.trim()}" ;;`
  );
  return `# Completion of btrdb for bash
_btrdb() {
  local current="\${COMP_WORDS[COMP_CWORD]}" command="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
    -d | --database | --tz | --timeout | --profile | --protocol) i=$((i + 1)) ;;
    -*) ;;
    *) command="\${COMP_WORDS[i]}"; break ;;
    esac
  done
  if [[ -z $command ]]; then
    words="${commands.map(({ name }) => name).join(" ")} ${flags(GLOBAL_OPTIONS)}"
  else
    case "$command" in
${cases.join("\n")}
    esac
    [[ $current != -* ]] && words=""
  fi
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
  for (const { name, summary, options } of commands) {
    lines.push(
      `complete -c btrdb -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
      ...Object.entries(options).map(option(` -n ${quote(`__fish_seen_subcommand_from ${name}`)}`)),
    );
  }
  return `# Completion of btrdb for fish\n${lines.join("\n")}\n`;
}

export default command;
