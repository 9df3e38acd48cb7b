#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Versions of FRR that are known to be bad are told of, by the name of the installed one: another file in its place, seen by
# bfdd alone, says which that is.
. "$(dirname "$0")/lib.sh"
INSTALLED=/usr/lib/frr/bfdd
[ -x $INSTALLED ] || skip "frr is not installed"
need unshare

lab_ns e
printf '#!/bin/sh\nexec cat %s\n' "$RUN/says" >"$RUN/frr-bfdd"
cat >"$RUN/bfdd" <<END
#!/bin/sh
mount --bind $RUN/frr-bfdd $INSTALLED && exec $BFDD "\$@"
END
cat >"$RUN/alone" <<END
#!/bin/sh
exec unshare --mount --propagation private $RUN/bfdd "\$@"
END
chmod 755 "$RUN/frr-bfdd" "$RUN/bfdd" "$RUN/alone"
BFDD=$RUN/alone

started() { # SAYS [DATAPLANE]
	printf '%s\n' "$1" >"$RUN/says"
	rm -f "$RUN/bfdd-e.log"
	bfdd_start e <<-END
		frr = { dataplane = "${2-unix:$RUN/dplane}"; };
	END
}

version_is() { # VERSION
	[ "$(ctl e status | jq -r .frr.version)" = "$1" ]
}

warnings() {
	grep -c 'warning: FRR' "$RUN/bfdd-e.log" || true
}

for version in 10.4.0 10.4.3-1~deb12u1 10.5.1; do
	step "$version: its bgpd waits"
	started "bfdd version $version"
	wait_for 5 "the version is known" version_is $version
	grep -q "FRR $version: its bgpd waits 30 s" "$RUN/bfdd-e.log" || fail "not told"
	equal "warnings" "$(warnings)" 1
	bfdd_stop e
done

for version in 8.4.4 10.3.2 10.6.0; do
	step "$version: nothing to tell"
	started "bfdd version $version"
	wait_for 5 "the version is known" version_is $version
	equal "warnings" "$(warnings)" 0
	bfdd_stop e
done

step "8.4.4 where it is to connect to us"
started "bfdd version 8.4.4" "unixc:$RUN/dplane"
wait_for 5 "the version is known" version_is 8.4.4
grep -q 'FRR 8.4.4: it does not bear being the side that connects ("unixc:' "$RUN/bfdd-e.log" || fail "not told"
equal "warnings" "$(warnings)" 1
bfdd_stop e

nobody_runs() {
	[ -z "$(pgrep -P "$(bfdd_pid e)")" ]
}

step "no version, or one that is none"
for says in "" "$(head -c 300 /dev/zero | tr '\0' x)" $'bfdd version 10.4\e[2J'; do
	started "$says"
	wait_for 5 "it was asked" nobody_runs
	version_is "" || version_is null || fail "version: $(ctl e status | jq -c .frr.version)"
	equal "warnings" "$(warnings)" 0
	bfdd_stop e
done
