# Completes stagecraft in bash. Written by: stagecraft completion bash

_stagecraft() {
    # Bash splits words at = and : too, and replaces only what follows the last of them.
    local words=("${COMP_WORDS[0]}") last=0 i
    for ((i = 1; i <= COMP_CWORD; i++)); do
        if ((last > 0)) && [[ ${COMP_WORDS[i]} == [=:]* || ${words[last]} == *[=:] ]]; then
            words[last]+=${COMP_WORDS[i]}
        else
            words[++last]=${COMP_WORDS[i]}
        fi
    done
    local current=${words[last]} mode='' prefix='' word about
    COMPREPLY=()
    {
        IFS=$'\t' read -r mode prefix
        while IFS=$'\t' read -r word about; do
            COMPREPLY+=("$word")
        done
    } < <("${words[0]/#\~/$HOME}" __complete "=$current" "${words[@]:1:last-1}" 2>/dev/null)
    local kind=
    case $mode in
    files) kind=-f ;;
    directories) kind=-d ;;
    esac
    if [[ $kind ]]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r word; do
            COMPREPLY+=("$prefix$word")
        done < <(compgen "$kind" -- "${current#"$prefix"}")
    fi
    if ((${#COMPREPLY[@]} == 1)) && [[ ${COMPREPLY[0]} == *[=:] ]]; then
        compopt -o nospace 2>/dev/null
    fi
    local kept=${current%"${current##*[=:]}"}
    for i in "${!COMPREPLY[@]}"; do
        COMPREPLY[i]=${COMPREPLY[i]#"$kept"}
    done
}

complete -F _stagecraft stagecraft
