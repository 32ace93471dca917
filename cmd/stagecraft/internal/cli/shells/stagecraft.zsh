#compdef stagecraft
# Completes stagecraft in zsh. Written by: stagecraft completion zsh

_stagecraft() {
    local -a lines values shown
    local mode prefix line value about space=' '
    lines=("${(@f)$(${(Q)~words[1]} __complete "=${(Q)PREFIX}" "${(@Q)words[2,CURRENT-1]}" 2>/dev/null)}")
    mode=${lines[1]%%$'\t'*} prefix=${lines[1]#*$'\t'}
    for line in "${(@)lines[2,-1]}"; do
        value=${line%%$'\t'*} about=${line#*$'\t'}
        values+=("$value")
        shown+=("${(r:24:)value} $about")
        [[ $value == *[=:] ]] && space=
    done
    (( $#values )) && compadd -l -S "$space" -d shown -a values
    case $mode in
    files) compset -P "${(b)prefix}"; _files ;;
    directories) compset -P "${(b)prefix}"; _files -/ ;;
    esac
}

if [[ $funcstack[1] == _stagecraft ]]; then
    _stagecraft "$@"
else
    compdef _stagecraft stagecraft
fi
