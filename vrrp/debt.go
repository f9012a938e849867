package vrrp

import (
	"time"

	"baton/internal/mono"
	"baton/vrrp/packet"
)

// A node that was MASTER and left may have left in a partition, in which nobody heard
// its resignation, or without one (fence). Clients on its side believe it still when the
// network is whole again, and the master of the other side, which never lost its rank,
// has no cause to announce itself. So the resignation is owed to the first master that is
// heard, in BACKUP and in FAULT: a master answers one with its advert and its
// announcement (RFC 3768 section 6.4.3, hearAsMaster). Other backups follow that master
// and leave a stranger's resignation alone, or hear its answer within their skew time.

// owe notes that a resignation is to be said. What was waiting in the socket is read at
// once and does not show whether its sender can hear us now: it may be of before a
// partition.
func (i *Instance) owe(now mono.Time) {
	i.owes, i.owesFrom, i.resignedAt = true, now.Add(min(answerTime, i.cfg.AdvertInterval)), mono.Never
}

// resign leaves MASTER with a word (RFC 3768 section 6.4.3, shutdown), which is owed
// again until a successor shows that it was heard.
func (i *Instance) resign(now mono.Time, out []Action) []Action {
	i.owe(now)
	i.resignedAt = now
	return append(out, Action{Kind: SendAdvert, Priority: 0})
}

// settleDebt says to a master that is heard what it may not know.
func (i *Instance) settleDebt(now mono.Time, ad *packet.Advert, out []Action) []Action {
	switch {
	case !i.owes:
	case i.succeeds(now, ad):
		i.owes = false
	case now >= i.owesFrom:
		i.owes = false
		return append(out, Action{Kind: SendAdvert, Priority: 0})
	}
	return out
}

// succeeds reports whether an advert is that of a backup that heard our resignation: it
// comes by its skew time after it. One that was master already keeps its own time.
func (i *Instance) succeeds(now mono.Time, ad *packet.Advert) bool {
	if i.resignedAt == mono.Never {
		return false
	}
	late := now.Sub(i.resignedAt.Add(i.skew(ad.Priority)))
	return max(late, -late) < min(answerTime, i.cfg.AdvertInterval)
}

// sleptOnDebt takes into account how long ago, by others' clocks, the resignation was.
func (i *Instance) sleptOnDebt(asleep time.Duration) {
	if i.owes && i.resignedAt != mono.Never {
		i.resignedAt = i.resignedAt.Add(-asleep)
	}
}

// hearInFault listens for a master for the sake of a debt alone.
func (i *Instance) hearInFault(now mono.Time, ad *packet.Advert, out []Action) []Action {
	if ad.Priority == 0 || !i.Source().IsValid() || ad.Check(i.cfg.Auth, i.cfg.AdvertInterval) != packet.OK {
		return out
	}
	return i.settleDebt(now, ad, out)
}
