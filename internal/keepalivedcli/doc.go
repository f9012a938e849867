// Package keepalivedcli is the command line of keepalived 2.2: its flags, its exit
// codes, its signals and where its log goes, so that scripts, unit files and
// exporters made for it work with baton. It only reads the command line and writes
// the log; cmd/baton joins it with the daemon.
package keepalivedcli
