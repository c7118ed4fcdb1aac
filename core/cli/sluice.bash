# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# bash completion for sluice, sluiced and sluice-stack.

_sluice()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local commands="status top events explain rules block unblock allow check plugins reload detach replay bench completion help"
	local command="" options="" i

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--config | --attack | --benign | --warmup | --protect | --role | --rewrite-dst | \
			--rewrite-dport | --labels | --attack-filter | --attack-at | --attack-for | \
			--respoof | --attack-rate | --speed | --max-gap | --phase | --phases | --seed | \
			--window | --only | --direction | --bar | --suite | --part | --control | --jobs | --set | \
			--diff | --csv | --svg) ((i++)) ;;
		--socket | --for | --pin-path | --rounds | --entries | --by | --plugin-path | --options | \
			--interface) ((i++)) ;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	case $prev in
	--socket | --options | --config | --attack | --benign | --warmup | --labels | --bar | --diff | --csv | --svg)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--role)
		mapfile -t COMPREPLY < <(compgen -W "server client asis" -- "$cur")
		return
		;;
	--respoof)
		mapfile -t COMPREPLY < <(compgen -W "auto on off" -- "$cur")
		return
		;;
	--direction)
		mapfile -t COMPREPLY < <(compgen -W "in both" -- "$cur")
		return
		;;
	--pin-path | --plugin-path | --suite)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--entries)
		mapfile -t COMPREPLY < <(compgen -W "1,1K,16K,128K,1M" -- "$cur")
		return
		;;
	--by)
		mapfile -t COMPREPLY < <(compgen -W "place packets dropped" -- "$cur")
		return
		;;
	--rounds)
		return
		;;
	--for)
		mapfile -t COMPREPLY < <(compgen -W "1m 10m 1h 1d" -- "$cur")
		return
		;;
	esac
	case $command in
	"") options="--socket --json --help --version" ;;
	status | top | explain | unblock | allow) options="--socket --json --help" ;;
	reload) options="--socket --json --dry-run --help" ;;
	rules) options="--socket --json --by --help" ;;
	events) options="--socket --json --follow --help" ;;
	block) options="--socket --json --for --help" ;;
	check) options="--json --help" ;;
	plugins) options="--plugin-path --options --interface --seed --json --help" ;;
	detach) options="--pin-path --help" ;;
	replay)
		options="--config --attack --benign --warmup --protect --role --rewrite-dst --rewrite-dport
			--labels --attack-filter --attack-at --attack-for --trim --respoof --attack-rate
			--overlay --speed --max-gap --phase --phases --seed --window --only --direction
			--stealth --set --bar --suite --part --control --jobs --diff --csv --svg --bench --json --help"
		;;
	bench) options="--rounds --entries --csv --svg --attack --json --help" ;;
	*) options="--help" ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
	elif [[ -z $command ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$cur")
	elif [[ $command == check || $command == replay ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	elif [[ $command == plugins && $prev == test ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	elif [[ $command == plugins && $prev == show ]]; then
		mapfile -t COMPREPLY < <(compgen -W \
			"$(sluice plugins list 2>/dev/null | cut -d ' ' -f 1)" -- "$cur")
	elif [[ $command == plugins && $prev == plugins ]]; then
		mapfile -t COMPREPLY < <(compgen -W "list show test" -- "$cur")
	elif [[ $command == bench ]]; then
		mapfile -t COMPREPLY < <(compgen -W "datapath snapshot offload stack" -- "$cur")
	elif [[ $command == completion ]]; then
		mapfile -t COMPREPLY < <(compgen -W "bash" -- "$cur")
	fi
}

_sluiced()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

	case $prev in
	-c | --config) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	--log-level)
		mapfile -t COMPREPLY < <(compgen -W "error warning notice info debug" -- "$cur")
		;;
	*)
		mapfile -t COMPREPLY < <(compgen -W \
			"--config --check --log-level --help --version" -- "$cur")
		;;
	esac
}

_sluice_stack()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

	case $prev in
	-u | --user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	-l | --log-level)
		mapfile -t COMPREPLY < <(compgen -W "error warning notice info debug" -- "$cur")
		;;
	-c | --config) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	*)
		mapfile -t COMPREPLY < <(compgen -W \
			"--config --user --log-level --help --version" -- "$cur")
		;;
	esac
}

complete -o filenames -F _sluice sluice
complete -o filenames -F _sluiced sluiced
complete -o filenames -F _sluice_stack sluice-stack
