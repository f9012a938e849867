package main

import "path/filepath"

// commandLine is what follows the program's name. Started under the name of a
// program that it stands for, baton gets that name as its command.
func commandLine(args []string) []string {
	switch name := filepath.Base(args[0]); name {
	case "haproxy", "keepalived":
		return append([]string{name}, args[1:]...)
	}
	return args[1:]
}
