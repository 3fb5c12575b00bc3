/** Completion scripts, written from the tree of commands: static text that asks no server and starts no program. */
import type { Command } from 'commander';

export interface Branch {
  /** The words that lead here: `keys create`. */
  readonly path: string;
  readonly summary: string;
  readonly children: readonly Branch[];
  readonly options: readonly { readonly flag: string; readonly sentence: string; readonly takesValue: boolean }[];
}

export function treeOf(command: Command, path: readonly string[] = []): Branch {
  const globals =
    command.parent === null ? [] : rootOf(command).options.filter((option) => option.long !== '--version');
  const options = [...command.options, ...globals].map((option) => ({
    flag: option.long ?? option.flags,
    sentence: option.description,
    takesValue: option.required || option.optional,
  }));
  return {
    path: path.join(' '),
    summary: command.summary() || command.description(),
    children: command.commands.map((child) => treeOf(child, [...path, child.name()])),
    options: [...options, { flag: '--help', sentence: 'show the help of the command', takesValue: false }],
  };
}

export function bashScript(tree: Branch): string {
  const branches = flatten(tree);
  const words = branches.map((one) => `    ${quote(one.path)}) words=${quote(wordsOf(one).join(' '))} ;;`);
  const paths = branches.filter((one) => one.path !== '').map((one) => quote(one.path));
  return `# bash completion for trunkline
_trunkline() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "\${path:+$path }$word" in
    ${paths.join('|')}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _trunkline trunkline`;
}

export function zshScript(tree: Branch): string {
  const branches = flatten(tree);
  const entry = (word: string, sentence: string) => quote(`${word.replaceAll(':', '\\:')}:${sentence}`);
  const words = branches.map((one) => {
    const entries = [
      ...one.children.map((child) => entry(lastWord(child), child.summary)),
      ...one.options.map(({ flag, sentence }) => entry(flag, sentence)),
    ];
    return `    ${quote(one.path)}) entries=(${entries.join(' ')}) ;;`;
  });
  const paths = branches.filter((one) => one.path !== '').map((one) => quote(one.path));
  return `#compdef trunkline
# zsh completion for trunkline
_trunkline() {
  local path_='' word
  local -a entries
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "\${path_:+$path_ }$word" in
    ${paths.join('|')}) path_="\${path_:+$path_ }$word" ;;
    esac
  done
  case "$path_" in
${words.join('\n')}
  esac
  _describe 'trunkline' entries || _files
}
if [ "$funcstack[1]" = _trunkline ]; then _trunkline; else compdef _trunkline trunkline; fi`;
}

export function fishScript(tree: Branch): string {
  const branches = flatten(tree);
  const paths = branches.filter((one) => one.path !== '').map((one) => quote(one.path));
  const lines = branches.flatMap((one) => {
    const when = `-n ${quote(`test (__trunkline_path) = "${one.path}"`)}`;
    return [
      ...one.children.map(
        (child) => `complete -c trunkline -f ${when} -a ${lastWord(child)} -d ${quote(child.summary)}`,
      ),
      ...one.options.map(({ flag, sentence, takesValue }) => {
        const value = takesValue ? ' -r' : '';
        return `complete -c trunkline ${when} -l ${flag.slice(2)}${value} -d ${quote(sentence)}`;
      }),
    ];
  });
  return `# fish completion for trunkline
function __trunkline_path
  set -l path ''
  for word in (commandline -opc)[2..-1]
    set -l longer (string trim "$path $word")
    contains -- "$longer" ${paths.join(' ')}; and set path "$longer"
  end
  echo "$path"
end
${lines.join('\n')}`;
}

function flatten(branch: Branch): Branch[] {
  return [branch, ...branch.children.flatMap(flatten)];
}

function wordsOf(branch: Branch): string[] {
  return [...branch.children.map(lastWord), ...branch.options.map(({ flag }) => flag)];
}

function lastWord(branch: Branch): string {
  return branch.path.split(' ').at(-1) ?? '';
}

/** As one word of a shell. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}
