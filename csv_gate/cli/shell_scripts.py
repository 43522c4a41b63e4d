"""The completion scripts of four shells. All texts in them are the program's own; quoting is for apostrophes in help lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from csv_gate.cli.completion import Flag, Verb


def bash(verbs: Sequence[Verb]) -> str:
    """For `eval "$(csv-gate completion bash)"`, or a file in bash-completion's folder."""
    cases = []
    for verb in verbs:
        choices = [(flag, flag.choices) for flag in verb.flags if flag.choices]
        files = [name for flag in verb.flags if flag.is_file for name in flag.names]
        free = [
            name for flag in verb.flags if flag.takes_value and not flag.choices and not flag.is_file for name in flag.names
        ]
        lines = [f'            {"|".join(flag.names)}) values="{" ".join(words)}" ;;' for flag, words in choices]
        lines += [f"            {'|'.join(files)}) return 0 ;;"] if files else []
        lines += [f"            {'|'.join(free)}) return 0 ;;"] if free else []
        inner = "\n".join(['        case "$before" in', *lines, "        esac"]) if lines else "        :"
        words = " ".join(verb.words)
        cases.append(
            f'    {verb.name})\n{inner}\n        [ -n "$values" ] || options="{" ".join(verb.names)}" words="{words}"\n        ;;'
        )
    return f"""\
# bash completion of csv-gate
_csv_gate() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} values= options= words=
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        COMPREPLY=($(compgen -W "{" ".join(verb.name for verb in verbs)} --help --version" -- "$current"))
        return 0
    fi
    case "${{COMP_WORDS[1]}}" in
{chr(10).join(cases)}
    esac
    if [ -n "$values" ]; then
        COMPREPLY=($(compgen -W "$values" -- "$current"))
    elif [ "${{current#-}}" != "$current" ]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
    elif [ -n "$words" ]; then
        COMPREPLY=($(compgen -W "$words" -- "$current"))
    fi
    return 0
}}
complete -o default -F _csv_gate csv-gate
"""


def zsh(verbs: Sequence[Verb]) -> str:
    """For a file `_csv-gate` in a folder of `fpath`, or for `eval`."""
    cases = []
    for verb in verbs:
        specs = [_zsh_spec(flag, name) for flag in verb.flags for name in flag.names]
        rest = f"'*:{verb.name}:({' '.join(verb.words)})'" if verb.words else "'*:path:_files'"
        body = " \\\n                ".join([*specs, rest])
        cases.append(f"        {verb.name})\n            _arguments -s \\\n                {body}\n            ;;")
    names = "\n".join(f"            {_single(f'{verb.name}:{verb.help}')}" for verb in verbs)
    return f"""\
#compdef csv-gate
# zsh completion of csv-gate
_csv-gate() {{
    local -a verbs
    if (( CURRENT == 2 )); then
        verbs=(
{names}
        )
        _describe 'command' verbs
        return
    fi
    local verb=$words[2]
    (( CURRENT-- ))
    shift words
    case $verb in
{chr(10).join(cases)}
    esac
}}
compdef _csv-gate csv-gate
"""


def _zsh_spec(flag: Flag, name: str) -> str:
    text = flag.help.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    value = ""
    if flag.choices:
        value = f":value:({' '.join(flag.choices)})"
    elif flag.is_file:
        value = ":file:_files"
    elif flag.takes_value:
        value = ":value:"
    return _single(f"*{name}[{text}]{value}")


def fish(verbs: Sequence[Verb]) -> str:
    """For `csv-gate completion fish | source`, or a file in fish's completions folder."""
    lines = ["# fish completion of csv-gate"]
    lines += [f"complete -c csv-gate -f -n __fish_use_subcommand -a {verb.name} -d {_single_fish(verb.help)}" for verb in verbs]
    for verb in verbs:
        seen = f"-n {_single_fish(f'__fish_seen_subcommand_from {verb.name}')}"
        if verb.words:
            lines.append(f"complete -c csv-gate {seen} -f -a {_single_fish(' '.join(verb.words))}")
        lines.extend(_fish_flag(flag, seen) for flag in verb.flags)
    return "\n".join(lines) + "\n"


def _fish_flag(flag: Flag, seen: str) -> str:
    names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in flag.names)
    value = ""
    if flag.choices:
        value = f" -x -a {_single_fish(' '.join(flag.choices))}"
    elif flag.is_file:
        value = " -r -F"
    elif flag.takes_value:
        value = " -x"
    return f"complete -c csv-gate {seen} {names}{value} -d {_single_fish(flag.help)}"


def powershell(verbs: Sequence[Verb]) -> str:
    """For a line in the profile: `csv-gate completion powershell | Out-String | Invoke-Expression`."""
    table = "\n".join(f"        {_double(verb.name)} = @({_joined((*verb.names, *verb.words))})" for verb in verbs)
    choices = "\n".join(
        f"        {_double(f'{verb.name} {name}')} = @({_joined(flag.choices)})"
        for verb in verbs
        for flag in verb.flags
        if flag.choices
        for name in flag.names
    )
    return f"""\
# PowerShell completion of csv-gate
Register-ArgumentCompleter -Native -CommandName csv-gate -ScriptBlock {{
    param($wordToComplete, $commandAst, $cursorPosition)
    $options = @{{
{table}
    }}
    $choices = @{{
{choices}
    }}
    $words = @($commandAst.CommandElements | ForEach-Object {{ $_.ToString() }})
    if ($wordToComplete -ne '') {{ $words = @($words | Select-Object -SkipLast 1) }}
    if ($words.Count -le 1) {{ $found = $options.Keys }}
    elseif ($choices.ContainsKey("$($words[1]) $($words[-1])")) {{ $found = $choices["$($words[1]) $($words[-1])"] }}
    else {{ $found = $options[$words[1]] }}
    $found | Where-Object {{ $_ -like "$wordToComplete*" }} | Sort-Object | ForEach-Object {{
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }}
}}
"""


def _joined(words: Iterable[str]) -> str:
    return ", ".join(_double(word) for word in words)


def _double(text: str) -> str:
    """A PowerShell string in single quotes."""
    return "'" + text.replace("'", "''") + "'"


def _single(text: str) -> str:
    """A POSIX word in single quotes."""
    return "'" + text.replace("'", "'\\''") + "'"


def _single_fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
