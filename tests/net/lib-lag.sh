# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the tests of bonds share: two ends a and b, whose links are called alike. What counts as traffic are packets from
# and to 10.2.0.0/24 and 2001:db8:2::/64.

# Of two members.
bond() { # NAME BOND ADDRESS MODE-WORD... MEMBER MEMBER
	local name=$1 bond=$2 address=$3
	shift 3
	lab_in "$name" ip link add "$bond" type bond miimon 100 "${@:1:$#-2}"
	for member in "${@: -2}"; do
		lab_in "$name" ip link set "$member" down
		lab_in "$name" ip link set "$member" master "$bond"
		lab_in "$name" ip link set "$member" up
	done
	lab_in "$name" ip link set "$bond" up
	lab_addr "$name" "$bond" "$address"
}

both() { # PEER=STATE...
	states_are a "$@" && states_are b "$@"
}

in_service() { # NAME MEMBER VALUE
	[ "$(ctl "$1" peer "$2" | jq '.["in-service"]')" = "$3" ]
}

cut_link() { # LINK    all but LACP, both ways
	local end
	for end in a b; do
		lab_in $end nft -f - <<-END
			table netdev $1 {
				chain in {
					type filter hook ingress device $1 priority 0
					ether type 0x8809 accept
					ip saddr 10.2.0.0/24 counter drop
					ip daddr 10.2.0.0/24 counter drop
					ip6 saddr 2001:db8:2::/64 counter drop
					ip6 daddr 2001:db8:2::/64 counter drop
					drop
				}
			}
		END
	done
}

heal_link() { # LINK
	lab_in a nft delete table netdev "$1"
	lab_in b nft delete table netdev "$1"
}

lost_by() { # LINK    traffic that died there
	local end
	for end in a b; do
		lab_in $end nft -j list table netdev "$1" | jq '[.. | .counter? | select(. != null) | .packets] | add'
	done | jq -s add
}

watch_link() { # LINK    for sent_by
	lab_in b nft -f - <<-END
		table netdev sent$1 {
			chain in {
				type filter hook ingress device $1 priority -1
				ip saddr 10.2.0.0/24 counter accept
				ip6 saddr 2001:db8:2::/64 counter accept
			}
		}
	END
}

sent_by() { # LINK    traffic that came in by it at b
	lab_in b nft -j list table netdev "sent$1" | jq '[.. | .counter? | select(. != null) | .packets] | add'
}

pings() { # SOURCE-PREFIX DESTINATION    flows that a hash spreads over links; all must come through
	local n
	for n in 1 2 3 4 5 6 7 8; do
		lab_in a ping -q -c 1 -W 3 -I "$1$n" "$2" >/dev/null || fail "no answer to $1$n from $2"
	done
}

active_site() { # NAME SITE
	[ "$(service_field "$1" voice '.["active-site"]')" = "$2" ]
}

gone() { # NAME PEER
	[ -z "$(peer_field "$1" "$2" state)" ]
}
