# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of bfdctl for bash: commands, options, and the names of peers as the daemon knows them.

# The names of the peers, one a line; nothing when no daemon answers.
_bfdctl_peers() {
	bfdctl "$@" --json peers 2>/dev/null | sed -n 's/^ *"name": "\([^"\\]*\)",*$/\1/p'
}

_bfdctl() {
	local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local commands="status peers peer sites services events postmortem poll watch reload help"
	local command='' socket=() i after=0

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-s | --socket) socket=(-s "${COMP_WORDS[++i]}") ;;
		-n | --last | -w | --write) i=$((i + 1)) ;;
		-*) ;;
		*)
			[ -z "$command" ] || after=$((after + 1))
			command=${command:-${COMP_WORDS[i]}}
			;;
		esac
	done
	case $previous in
	-s | --socket | -w | --write)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	-n | --last) return ;;
	esac
	case $command:$word in
	events:-*) mapfile -t COMPREPLY < <(compgen -W "--follow --last --json --socket" -- "$word") ;;
	postmortem:-*) mapfile -t COMPREPLY < <(compgen -W "--write --json --socket" -- "$word") ;;
	*:-*) mapfile -t COMPREPLY < <(compgen -W "--json --socket --help --version" -- "$word") ;;
	:*) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word") ;;
	peer:* | poll:* | postmortem:*)
		[ "$after" = 0 ] || return
		# not compgen -W, which would expand what is in the names
		mapfile -t COMPREPLY < <(_bfdctl_peers "${socket[@]}" | while IFS= read -r i; do
			[[ $i != "$word"* ]] || printf '%q\n' "$i"
		done)
		;;
	esac
}

complete -F _bfdctl bfdctl
