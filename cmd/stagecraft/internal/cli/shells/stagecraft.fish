# Completes stagecraft in fish. Written by: stagecraft completion fish

function __stagecraft_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines ($words[1] __complete "=$current" $words[2..-1] 2>/dev/null)
    set -l mode (string split -m 1 \t -- $lines[1])
    string join -- \n $lines[2..-1]
    set -l path (string replace -- "$mode[2]" "" $current)
    switch "$mode[1]"
        case files
            __fish_complete_path $path | string replace -r -- '^' "$mode[2]"
        case directories
            __fish_complete_directories $path | string replace -r -- '^' "$mode[2]"
    end
end

complete -c stagecraft -f -a '(__stagecraft_complete)'
