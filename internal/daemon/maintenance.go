package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"baton/internal/admin"
	"baton/vrrp"
)

// switchFile keeps the maintenance switch over a restart: it is on as long as the file
// is there. Whoever repairs a node restarts baton, and the host too, and does not want
// the addresses back before he says so.
type switchFile string

// maintenanceFile is below the folder that systemd gives a unit for what must outlive
// it (StateDirectory=), or beside the status socket.
func maintenanceFile(socket string) switchFile {
	dir, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":")
	if dir == "" {
		dir = filepath.Dir(socket)
	}
	return switchFile(filepath.Join(dir, "maintenance"))
}

// since returns when the switch was turned on; zero if it is off. An error comes with a
// time: one who cannot tell keeps out.
func (f switchFile) since() (time.Time, error) {
	info, err := os.Stat(string(f))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return time.Time{}, nil
	case err != nil:
		return time.Now(), fmt.Errorf("maintenance switch: %w", err)
	}
	return info.ModTime(), nil
}

func (f switchFile) turn(on bool) error {
	var err error
	if on {
		if err = os.MkdirAll(filepath.Dir(string(f)), 0o755); err == nil {
			err = os.WriteFile(string(f), []byte("baton keeps out of elections until `baton maintenance off`\n"), 0o644)
		}
	} else if err = os.Remove(string(f)); errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("maintenance switch: %w", err)
	}
	return nil
}

// resumeMaintenance goes on with what was switched on before the restart. It comes
// before the elections begin.
func (d *process) resumeMaintenance() {
	since, err := maintenanceFile(d.Socket).since()
	if err != nil {
		d.Log.Error(fmt.Sprintf("%v; taken as switched on", err))
	}
	if !since.IsZero() {
		d.Log.Warn("this node is in maintenance since " + since.Format(time.DateTime) + ": it takes part in no election until `baton maintenance off`")
		d.health.resume(since)
	}
}

// maintenance keeps this node out of elections, or lets it in again.
func (d *process) maintenance(ctx context.Context, on, force bool) admin.Answer {
	if d.health == nil {
		return admin.Answer{Error: "there is no vrrp_instance: nothing keeps this node in or out"}
	}
	file := maintenanceFile(d.Socket)
	if !on {
		// The file first: off must not come back by a restart.
		if err := file.turn(false); err != nil {
			return admin.Answer{Error: fmt.Sprintf("maintenance stays on: %v", err)}
		}
		d.health.setMaintenance(time.Time{})
		for _, st := range d.speaker.Status() {
			d.speaker.Hint(st.Name, vrrp.Event{Kind: vrrp.Keep})
		}
		d.changed()
		return admin.Answer{Text: "maintenance is off: this node takes part in elections"}
	}
	answer := admin.Answer{}
	for _, st := range d.speaker.Status() {
		if st.State == vrrp.Master {
			answer = d.handover(ctx, "", force)
			break
		}
	}
	if answer.Failed() {
		answer.Text = "maintenance stays off (--force lets go all the same)"
		return answer
	}
	answer.Text = "maintenance is on until `baton maintenance off`, over restarts too: this node takes part in no election"
	if err := file.turn(true); err != nil {
		d.Log.ErrorContext(ctx, err.Error())
		answer.Text = fmt.Sprintf("maintenance is on until `baton maintenance off`, or a restart (%v): this node takes part in no election", err)
	}
	d.health.setMaintenance(time.Now())
	d.changed()
	return answer
}
