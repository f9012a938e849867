package dump

import (
	"encoding/json"
	"fmt"
	"time"

	"baton/checkscript"
	"baton/vrrp/packet"
)

// instanceJSON is one element of keepalived.json. The order of the fields is
// keepalived's; numbers stand for its enumerations.
type instanceJSON struct {
	Data  dataJSON `json:"data"`
	Stats counters `json:"stats"`
}

type dataJSON struct {
	Name                string   `json:"iname"`
	DontTrackPrimary    int      `json:"dont_track_primary"`
	SkipCheckAddresses  int      `json:"skip_check_adv_addr"`
	Strict              int      `json:"strict_mode"`
	VMAC                string   `json:"vmac_ifname"`
	Interface           string   `json:"ifp_ifname"`
	MasterPriority      int      `json:"master_priority"`
	LastTransition      float64  `json:"last_transition"`
	GARPDelay           int      `json:"garp_delay"`
	GARPRefresh         int      `json:"garp_refresh"`
	GARPRepeat          int      `json:"garp_rep"`
	GARPRefreshRepeat   int      `json:"garp_refresh_rep"`
	GARPLowerDelay      int      `json:"garp_lower_prio_delay"`
	GARPLowerRepeat     int      `json:"garp_lower_prio_rep"`
	LowerNoAdvert       int      `json:"lower_prio_no_advert"`
	HigherSendAdvert    int      `json:"higher_prio_send_advert"`
	VRID                int      `json:"vrid"`
	BasePriority        int      `json:"base_priority"`
	EffectivePriority   int      `json:"effective_priority"`
	Set                 bool     `json:"vipset"`
	PromoteSecondaries  bool     `json:"promote_secondaries"`
	AdvertInterval      float64  `json:"adver_int"`
	MasterInterval      float64  `json:"master_adver_int"`
	Accept              int      `json:"accept"`
	NoPreempt           bool     `json:"nopreempt"`
	PreemptDelay        float64  `json:"preempt_delay"`
	State               int      `json:"state"`
	WantState           int      `json:"wantstate"`
	Version             int      `json:"version"`
	SMTPAlert           bool     `json:"smtp_alert"`
	NotifyDeleted       bool     `json:"notify_deleted"`
	ScriptBackup        string   `json:"script_backup,omitempty"`
	ScriptMaster        string   `json:"script_master,omitempty"`
	ScriptFault         string   `json:"script_fault,omitempty"`
	ScriptStop          string   `json:"script_stop,omitempty"`
	Script              string   `json:"script,omitempty"`
	ScriptMasterRxLower string   `json:"script_master_rx_lower_pri,omitempty"`
	Addresses           []string `json:"vips,omitempty"`
	Excluded            []string `json:"evips,omitempty"`
	Routes              []string `json:"vroutes,omitempty"`
	Rules               []string `json:"vrules,omitempty"`
	TrackInterface      []string `json:"track_ifp,omitempty"`
	TrackScript         []string `json:"track_script,omitempty"`
	AuthType            int      `json:"auth_type"`
	AuthData            string   `json:"auth_data,omitempty"`
}

// JSON is keepalived.json: configuration, state and counters of every instance.
func JSON(s *Snapshot) ([]byte, error) {
	out := []instanceJSON{}
	for i := range s.Instances {
		in := &s.Instances[i]
		out = append(out, instanceJSON{s.data(in), countersOf(in.Status)})
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("keepalived.json: %w", err)
	}
	return b, nil
}

func (s *Snapshot) data(in *Instance) dataJSON {
	c, st, announce := in.VRRP, in.Status, in.schedule()
	t := s.target(false, c.Name)
	d := dataJSON{
		Name: c.Name, Interface: c.Interface,
		DontTrackPrimary: number(c.DontTrackPrimary), SkipCheckAddresses: number(c.SkipAddressCheck),
		MasterPriority: int(st.MasterPriority), LastTransition: float64(st.Since.Wall().UnixMicro()) / 1e6,
		GARPDelay: whole(announce.Again), GARPRefresh: whole(announce.Refresh),
		GARPRepeat: announce.Repeat, GARPRefreshRepeat: announce.RefreshRepeat,
		GARPLowerDelay: whole(announce.ConflictAgain), GARPLowerRepeat: announce.ConflictRepeat,
		LowerNoAdvert: number(c.LowerPrioNoAdvert), HigherSendAdvert: number(c.HigherPrioSendAdvert),
		VRID: int(c.VRID), BasePriority: int(c.Priority), EffectivePriority: int(st.Priority),
		AdvertInterval: c.AdvertInterval.Seconds(), MasterInterval: c.AdvertInterval.Seconds(),
		Accept: number(!in.VIP.NoAccept), SMTPAlert: t.Mail, NoPreempt: c.NoPreempt, PreemptDelay: c.PreemptDelay.Seconds(),
		State: int(st.State), WantState: int(st.State), Version: int(st.Version),
		NotifyDeleted: t.Deleted,
		ScriptBackup:  script(t.Scripts[checkscript.ToBackup]), ScriptMaster: script(t.Scripts[checkscript.ToMaster]),
		ScriptFault: script(t.Scripts[checkscript.ToFault]), ScriptStop: script(t.Scripts[checkscript.Stopped]),
		Script: script(t.Any), ScriptMasterRxLower: script(t.Scripts[checkscript.RxLower]),
	}
	var list []address
	list, d.Set = in.addresses()
	for _, a := range list {
		if a.excluded {
			d.Excluded = append(d.Excluded, a.text)
		} else {
			d.Addresses = append(d.Addresses, a.text)
		}
	}
	if v := in.VIP.VMAC; v.Name != "" {
		d.VMAC, d.Interface = v.Name, v.Name
	}
	d.Routes, d.Rules = routes(in), rules(in)
	for _, t := range s.tracks(in, checkscript.Interface) {
		d.TrackInterface = append(d.TrackInterface, s.probe(t.Probe).Interface)
	}
	for _, t := range s.tracks(in, checkscript.Script) {
		d.TrackScript = append(d.TrackScript, quoted(s.probe(t.Probe).Argv))
	}
	if c.Auth.Type != packet.AuthNone {
		d.AuthType, d.AuthData = int(c.Auth.Type), password(c.Auth)
	}
	return d
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

func whole(d time.Duration) int { return int(d / time.Second) }
