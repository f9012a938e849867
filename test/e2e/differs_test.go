package e2e

import (
	"strings"
	"testing"
)

// TestStatusTellsWhatDiffers: the other node's adverts show that its file is another,
// and the log says so once.
func TestStatusTellsWhatDiffers(t *testing.T) {
	p := newPair(t)
	p.configure("")
	p.lb1.run(bothFiles...)
	onlyOn(t, vip, p.lb1, p.lb2)
	p.lb2.keepalived(strings.Replace(peerConf("BACKUP", "200"), "10.77.0.100/24", "10.77.0.100/24\n        10.77.0.101/24", 1))
	const differs = "10.77.0.12 advertises other addresses than this node has"
	awaitStatus(p.lb1, "BACKUP", "differs", differs)
	await(t, "further adverts", func() bool { return strings.Contains(p.lb1.status(), "received 3") })
	if n := strings.Count(p.lb1.proc.log.String(), differs); n != 1 {
		t.Errorf("logged %d times:\n%s", n, p.lb1.proc.log)
	}
}
