"""`taskspec completion`."""

from collections.abc import Mapping
from typing import Final

import click

from taskspec.cli.printing import say_text

_BASH: Final = r"""# completion of taskspec for bash; taskspec completion bash
_taskspec_completion() {
    local i piece quoted line kind value before index=-1 rest=$COMP_LINE
    local -a words=()
    # bash cuts words at `:` and `=` too: what no space separates belongs together
    for ((i = 0; i <= COMP_CWORD; i++)); do
        piece=${COMP_WORDS[i]}
        if ((i == 0)) || [[ $rest == [[:space:]]* ]]; then
            index=$((index + 1))
            words[index]=
            rest=${rest#"${rest%%[![:space:]]*}"}
        fi
        words[index]+=$piece
        rest=${rest#"$piece"}
    done
    # readline replaces only what follows the last such cut
    if [[ $piece == [:=] ]]; then piece=; fi
    before=${words[index]%"$piece"}
    COMPREPLY=()
    while IFS= read -r line; do
        kind=${line%%,*}
        value=${line#*,}
        case $kind in
        plain)
            case $piece in
            \'*) quoted=$value ;;
            \"*)
                quoted=${value//\\/\\\\}
                quoted=${quoted//\"/\\\"}
                ;;
            *) printf -v quoted %q "$value" ;;
            esac
            if [[ $value == *[:=+] ]]; then compopt -o nospace 2>/dev/null; fi
            COMPREPLY+=("${quoted#"$before"}")
            ;;
        file | dir)
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$value")
            ;;
        esac
    done < <(
        IFS=$'\n'
        env COMP_WORDS="${words[*]}" COMP_CWORD=$index _TASKSPEC_COMPLETE=bash_complete "$1" 2>/dev/null
    )
}
complete -F _taskspec_completion taskspec
"""
_ZSH: Final = r"""#compdef taskspec
# completion of taskspec for zsh; taskspec completion zsh
_taskspec_completion() {
    local -a lines plain described
    local kind value help
    lines=("${(@f)$(env COMP_WORDS="${(F)words[1,CURRENT]}" COMP_CWORD=$((CURRENT - 1)) \
        _TASKSPEC_COMPLETE=zsh_complete "${words[1]}" 2>/dev/null)}")
    for kind value help in "${lines[@]}"; do
        case $kind in
        plain)
            if [[ $help == _ ]]; then plain+=("$value"); else described+=("$value:$help"); fi
            ;;
        file | dir) _files ;;
        esac
    done
    if (( $#described )); then _describe -V unsorted described -U; fi
    if (( $#plain )); then compadd -U -V unsorted -a plain; fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _taskspec_completion "$@"
else
    compdef _taskspec_completion taskspec
fi
"""
_FISH: Final = r"""# completion of taskspec for fish; taskspec completion fish
function __taskspec_completion
    for line in (env COMP_WORDS=(commandline -cp | string collect) COMP_CWORD=(commandline -ct | string collect) \
            _TASKSPEC_COMPLETE=fish_complete taskspec 2>/dev/null)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case plain
                echo -- $parts[2]
            case file dir
                __fish_complete_path $parts[2]
        end
    end
end
complete --no-files --keep-order --command taskspec --arguments '(__taskspec_completion)'
"""
SCRIPTS: Final[Mapping[str, str]] = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


@click.command()
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
def completion(shell: str) -> int:
    """Print the script that lets a shell complete commands, options, addresses and labels.

    \b
    bash: source <(taskspec completion bash)
    zsh:  source <(taskspec completion zsh)
    fish: taskspec completion fish | source
    """
    say_text(SCRIPTS[shell])
    return 0
