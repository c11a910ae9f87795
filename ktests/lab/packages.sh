# SPDX-License-Identifier: GPL-2.0
# Debian packages for the lab: which versions the suites have today, and the
# .deb files, kept in the cache. Sourced after lib.sh.
# shellcheck shell=bash

# once_a_day NAME CMD...: the output of CMD, asked for again after a day. When
# it can't be had (no network), yesterday's answer stands.
once_a_day() {
	local answer=$CCP_CACHE/resolved/$1
	shift
	is_fresh "$answer" 1440 || with_lock resolve ask_again "$answer" "$@"
	[ -s "$answer" ] && cat "$answer"
}

is_fresh() { [ -s "$1" ] && [ -n "$(find "$1" -mmin "-$2")" ]; }

ask_again() {
	local answer=$1
	shift
	! is_fresh "$answer" 1440 || return 0
	mkdir -p "${answer%/*}"
	if refresh_lists && "$@" >"$answer.tmp" && [ -s "$answer.tmp" ]; then
		mv "$answer.tmp" "$answer"
	elif [ -s "$answer" ]; then
		say "no fresh package lists; using those of $(date -r "$answer" +%F)"
	else
		die "cannot resolve packages ('$*' failed); is the Debian mirror reachable?"
	fi
}

refresh_lists() {
	local stamp=$CCP_CACHE/resolved/lists
	! is_fresh "$stamp" 60 || return 0
	in_sysroot apt-get update -qq >&2 || return 1
	date >"$stamp"
}

# deb_versions PACKAGE SUITE: the versions there, newest first.
deb_versions() {
	in_sysroot apt-cache madison "$1" |
		awk -v suite="$2/" -F ' *[|] *' 'index($3, suite) { print $2 }'
}

# deb_version PACKAGE SUITE: the newest of them.
deb_version() { deb_versions "$@" | sed -n 1p; }

# deb_depends PACKAGE VERSION PATTERN: the names it depends on that match.
deb_depends() {
	in_sysroot apt-cache show "$1=$2" | sed -n 's/^Depends: //p' |
		tr ',|' '\n' | awk '{ print $1 }' | grep -E "$3" || true
}

# deb_file PACKAGE VERSION: fetches the .deb when it isn't there, prints its
# path below the cache.
deb_file() {
	local pattern="$1_${2/:/%3a}_*.deb" found
	found=$(cd "$CCP_CACHE" && compgen -G "debs/$pattern" | head -n1) || true
	if [ -z "$found" ]; then
		say "fetching $1 $2"
		# apt renames the file when it is complete and verified.
		in_sysroot bash -c 'mkdir -p /cache/debs/partial && cd /cache/debs/partial &&
			apt-get -qq -o APT::Sandbox::User=root download "$1=$2" && mv ./*.deb ..' \
			bash "$1" "$2" >&2 || {
			# A mirror drops a version when the next one comes.
			rm -rf "$CCP_CACHE/resolved"
			die "cannot fetch $1 $2; run again to look for a newer one"
		}
		found=$(cd "$CCP_CACHE" && compgen -G "debs/$pattern" | head -n1)
	fi
	printf '%s\n' "$found"
}
