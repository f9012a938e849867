#!/bin/sh
# build.sh builds dist/baton_<version>_<arch>.deb for amd64 and arm64 (or those
# named as arguments). VERSION and GO come from the Makefile.
#
# The same commit gives the same bytes: times are those of the commit
# (SOURCE_DATE_EPOCH), archives are packed without names and in fixed order, and
# Go trims the paths of this machine.
set -eu
cd "$(dirname "$0")/.."
GO=${GO:-go}
VERSION=${VERSION:?run make deb}
umask 022

# 1.2.3-4-gabc comes after 1.2.3 and is 1.2.3+4.gabc for dpkg; 1.2.3-dev-4-gabc
# comes before and is 1.2.3~dev.4.gabc.
DEB_VERSION=$(echo "$VERSION" | sed -E -e 's/-(dev|rc|alpha|beta)/~\1/' -e 's/-/+/' -e 's/-/./g' -e 's/(~.*)\+/\1./')
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
	SOURCE_DATE_EPOCH=$(git -c safe.directory="$PWD" log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)
fi
MAINTAINER='The baton authors <baton@packages.example>'
export DEB_VERSION SOURCE_DATE_EPOCH MAINTAINER

stage=dist/stage
rm -rf "$stage"
mkdir -p "$stage/man1" "$stage/man5" "$stage/completions"

compile() { # ARCH OUTPUT
	CGO_ENABLED=0 GOARCH=$1 $GO build -trimpath -buildvcs=false \
		-ldflags "-s -w -X main.version=$VERSION" -o "$2" ./cmd/baton
}

# Documents: what people write, and what the commands know about themselves.
compile "$($GO env GOHOSTARCH)" "$stage/host-baton"
"$stage/host-baton" gendocs "$stage/docs"
cp "$stage"/docs/*.1 "$stage/man1/"
cp packaging/man/baton.1 "$stage/man1/" # instead of the generated one
cp packaging/man/baton.cfg.5 "$stage/man5/"
for shell in bash zsh fish; do
	"$stage/host-baton" completion $shell >"$stage/completions/baton.$shell"
done
packaging/changelog.sh "$DEB_VERSION" >"$stage/changelog"
packaging/licenses.sh >"$stage/third-party-licenses"
gzip -9n "$stage"/man1/* "$stage"/man5/* "$stage/changelog" "$stage/third-party-licenses"

$GO -C tools build -o "$PWD/bin/tools/deb" ./deb
[ $# -gt 0 ] || set -- amd64 arm64
for ARCH in "$@"; do
	export ARCH
	mkdir -p "$stage/$ARCH"
	compile "$ARCH" "$stage/$ARCH/baton"
	# nfpm takes the times of files from the files.
	find "$stage" packaging -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	rm -f dist/baton_*_"$ARCH".deb
	bin/tools/deb -config packaging/nfpm.yaml -target "dist/baton_${DEB_VERSION}_$ARCH.deb"
	echo "dist/baton_${DEB_VERSION}_$ARCH.deb"
done

if command -v lintian >/dev/null; then
	lintian --allow-root --fail-on error --tag-display-limit 0 dist/baton_"$DEB_VERSION"_*.deb
fi
