# shellcheck shell=bash
# Inputs that are made once and kept. The sourcing script provides say() and sets
# KEPT, the directory they are in.

# input NAME BY COMMAND...: makes NAME unless it is there, and unless BY is empty,
# made by BY: what the making scripts are, for one.
input() {
    local name=$1 by=$2 file=$KEPT/$1
    shift 2
    if [ -s "$file" ] && { [ -z "$by" ] || [ "$(cat "$file.made-by" 2>/dev/null)" = "$by" ]; }; then
        say "input $name: in $KEPT"
        return
    fi
    say "input $name: making it"
    "$@" "$file" || return
    [ -z "$by" ] || echo "$by" >"$file.made-by"
}
