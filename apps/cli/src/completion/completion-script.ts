import { flattenTree, lastWord, type CommandNode } from '../program/command-tree.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/**
 * Renders a script that completes every command and option of the tree.
 *
 * Each script walks the words before the cursor to the command that they name, leaving out options and their values, and offers what that command knows. Where
 * a value or a file is expected, files are offered.
 */
export function completionScript(shell: Shell, root: CommandNode): string {
  const commands = flattenTree(root);
  return { bash: bashScript, zsh: zshScript, fish: fishScript }[shell](commands);
}

/** Which words take the next one along: of `import` it is `--resume <job>`, of `import pgvector` the bare `--resume` goes on where it was. */
const valueFlags = (commands: readonly CommandNode[], separator = '|'): string =>
  commands
    .flatMap(({ path, options }) => options.filter(({ takesValue }) => takesValue).map(({ flag }) => `"${path}:${flag}"`))
    .join(separator);
const knownPaths = (commands: readonly CommandNode[]): string =>
  commands.flatMap(({ path }) => (path === '' ? [] : [`"${path}"`])).join('|');

function bashScript(commands: readonly CommandNode[]): string {
  const cases = commands.map((node) => {
    const words = [...node.commands.map(lastWord), ...node.options.map(({ flag }) => flag)];
    return `    "${node.path}") words="${words.join(' ')}" ;;`;
  });
  return `# Completion of kindred for bash: source <(kindred completion bash)
_kindred() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" at="" words="" word next i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    case "$at:$word" in ${valueFlags(commands)}) ((++i < COMP_CWORD)) || return 0; continue ;; esac
    next="\${at:+$at }$word"
    case "$next" in ${knownPaths(commands)}) at="$next" ;; esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _kindred kindred
`;
}

function zshScript(commands: readonly CommandNode[]): string {
  const entry = (word: string, description: string): string => `'${word.replaceAll(':', '\\:')}:${quoted(description)}'`;
  const cases = commands.map(
    (node) => `    "${node.path}")
      subcommands=(${node.commands.map((child) => entry(lastWord(child), child.description)).join(' ')})
      flags=(${node.options.map(({ flag, description }) => entry(flag, description)).join(' ')}) ;;`,
  );
  return `#compdef kindred
# Completion of kindred for zsh: kindred completion zsh > a folder of $fpath/_kindred
_kindred() {
  local at="" word next
  local -a subcommands flags
  integer i
  for ((i = 2; i < CURRENT; i++)); do
    word="\${words[i]}"
    case "$at:$word" in ${valueFlags(commands)}) (( ++i < CURRENT )) || { _files; return }; continue ;; esac
    next="\${at:+$at }$word"
    case "$next" in ${knownPaths(commands)}) at="$next" ;; esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  if [[ "\${words[CURRENT]}" == -* ]]; then _describe -o option flags
  elif (( \${#subcommands} )); then _describe command subcommands
  else _files
  fi
}
if [[ "\${funcstack[1]}" == _kindred ]]; then _kindred "$@"; else compdef _kindred kindred; fi
`;
}

function fishScript(commands: readonly CommandNode[]): string {
  const lines = commands.flatMap((node) => {
    const here = `complete -c kindred -n '__kindred_at "${node.path}"'`;
    return [
      ...node.commands.map((child) => `${here} -f -a ${lastWord(child)} -d '${quoted(child.description)}'`),
      ...node.options.map(
        ({ flag, takesValue, description }) => `${here} -l ${flag.slice(2)}${takesValue ? ' -r -F' : ''} -d '${quoted(description)}'`,
      ),
      ...(node.takesArguments ? [`${here} -F`] : []),
    ];
  });
  return `# Completion of kindred for fish: kindred completion fish > ~/.config/fish/completions/kindred.fish
function __kindred_at
    set -l at ''
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$at:$word"
            case ${valueFlags(commands, ' ')}
                set skip 1
                continue
        end
        set -l next (string trim -- "$at $word")
        switch $next
            case ${knownPaths(commands).replaceAll('|', ' ')}
                set at $next
        end
    end
    test "$at" = "$argv[1]"
end
complete -c kindred -f
${lines.join('\n')}
`;
}

/** First sentence of a description, fit for single quotes: of the three shells only fish has an escape within them. */
function quoted(description: string): string {
  return description
    .split(/[;:]/)[0]!
    .replaceAll(/['\\`$"]/g, '')
    .trim();
}
