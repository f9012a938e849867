package lab

import (
	"embed"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// The configuration of the nodes: files as anybody could have written them.
// In keepalived.conf STATE and PRIORITY stand for what differs.
//
//go:embed files/haproxy.cfg files/keepalived.conf
var files embed.FS

// writeFiles gives each node its folder with both files.
func (l *Lab) writeFiles() error {
	for i, n := range nodes() {
		state, priority := "MASTER", 150
		if i > 0 {
			state, priority = "BACKUP", 100
		}
		if err := os.MkdirAll(l.path(n.name), 0o755); err != nil {
			return fmt.Errorf("make the lab's folder: %w", err)
		}
		for _, name := range []string{"haproxy.cfg", "keepalived.conf"} {
			text, err := files.ReadFile("files/" + name)
			if err != nil {
				return err
			}
			out := strings.NewReplacer("STATE", state, "PRIORITY", strconv.Itoa(priority)).Replace(string(text))
			if err := os.WriteFile(l.path(n.name, name), []byte(out), 0o644); err != nil {
				return fmt.Errorf("write the lab's files: %w", err)
			}
		}
	}
	for _, h := range hosts() {
		if err := os.MkdirAll(l.path(h.name), 0o755); err != nil {
			return fmt.Errorf("make the lab's folder: %w", err)
		}
	}
	if err := os.WriteFile(l.path(nameServer, zoneFile), firstZone(), 0o644); err != nil {
		return fmt.Errorf("write the lab's files: %w", err)
	}
	return nil
}
