// Command deb builds baton's Debian package from an nfpm configuration.
//
//	deb -config packaging/nfpm.yaml -target dist/baton_1.2.3_amd64.deb
//
// ${VARIABLES} in the configuration come from the environment. It is nfpm's
// library without its command, whose other packagers bring many more modules.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // registers the packager "deb"
)

func main() {
	config := flag.String("config", "packaging/nfpm.yaml", "nfpm configuration")
	target := flag.String("target", "", "file to write")
	flag.Parse()
	if err := build(*config, *target); err != nil {
		fmt.Fprintln(os.Stderr, "deb:", err)
		os.Exit(1)
	}
}

func build(config, target string) error {
	cfg, err := nfpm.ParseFileWithEnvMapping(config, os.Getenv)
	if err != nil {
		return fmt.Errorf("read %s: %w", config, err)
	}
	info, err := cfg.Get("deb")
	if err != nil {
		return fmt.Errorf("read %s: %w", config, err)
	}
	info = nfpm.WithDefaults(info)
	info.Target = target
	if err := nfpm.PrepareForPackager(info, "deb"); err != nil {
		return fmt.Errorf("check %s: %w", config, err)
	}
	packager, err := nfpm.Get("deb")
	if err != nil {
		return err
	}
	f, err := os.Create(target)
	if err != nil {
		return err
	}
	err = packager.Package(info, f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(target)
		return fmt.Errorf("write %s: %w", target, err)
	}
	return nil
}
