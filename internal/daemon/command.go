package daemon

// Command is what a signal asks of the running daemon, beside to stop.
type Command uint8

// The commands.
const (
	Reload         Command = iota // read the configuration again
	DumpData                      // write keepalived.data
	DumpStats                     // write keepalived.stats
	DumpStatsClear                // the same, and count from zero
	DumpJSON                      // write keepalived.json
	LogConfig                     // log what keepalived.data would hold
)

// obey carries out a command. What goes wrong is logged: the daemon goes on.
func (d *process) obey(c Command) {
	switch c {
	case Reload:
		_ = d.reload() // it has logged how it went
	case DumpData, DumpStats, DumpStatsClear, DumpJSON:
		d.dump(c)
	case LogConfig:
		d.logConfig()
	}
}
